"""Robots.txt rules (RFC 9309), and recognising responses by their first bytes."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from scrapers.fetching.content_type import non_article_reason
from scrapers.fetching.robots import MAX_BYTES, rules_of
from scrapers.messages import RobotsCopy

TOKEN = "OversightLedger"
URL = "https://gazette.example/members/1"


def allows(status: int, body: bytes, url: str = URL) -> bool:
    copy = RobotsCopy("https://gazette.example", status, body, datetime(2026, 5, 4, tzinfo=UTC))
    return rules_of(copy, TOKEN).allows(url, TOKEN)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 301])
def test_missing_robots_txt_allows_everything(status: int) -> None:
    assert allows(status, b"User-agent: *\nDisallow: /")


@pytest.mark.parametrize("status", [0, 429, 500, 502, 503, 599])
def test_unavailable_robots_txt_forbids_everything(status: int) -> None:
    assert not allows(status, b"")


def test_group_for_our_user_agent_overrides_the_default_group() -> None:
    body = b"User-agent: *\nDisallow: /\n\nUser-agent: oversightledger\nDisallow: /closed\n"
    assert allows(200, body) and not allows(200, body, "https://gazette.example/closed/1")


@pytest.mark.parametrize(
    ("name", "ours"),
    [
        ("OversightLedger/0.1", True),
        ("oversightledger/2.0 (+https://ledger.example)", True),
        ("OVERSIGHTLEDGER   # us", True),
        ("Oversight", False),
        ("Ledger", False),
        ("OversightLedgerPlus", False),
        ("OversightLedger2", False),
    ],
)
def test_a_group_is_ours_if_its_product_token_is_equal(name: str, ours: bool) -> None:
    body = f"User-agent: *\nDisallow: /closed\n\nUser-agent: {name}\nDisallow: /members\n".encode()
    assert allows(200, body) is not ours
    assert allows(200, body, "https://gazette.example/closed/1") is ours


def test_longest_rule_wins_and_wildcards_match() -> None:
    body = b"User-agent: *\nDisallow: /members\nAllow: /members/1\nDisallow: /*.pdf$\n"
    assert allows(200, body) and not allows(200, body, "https://gazette.example/members/2")
    assert not allows(200, body, "https://gazette.example/a.pdf")


def test_html_is_ignored_and_byte_order_mark_is_skipped() -> None:
    assert allows(200, b"\n<!doctype html>\nUser-agent: *\nDisallow: /")
    assert not allows(200, b"\xef\xbb\xbfUser-agent: *\nDisallow: /")


def test_only_complete_rules_in_the_first_500_kib_count() -> None:
    early = b"User-agent: *\nDisallow: /members\n"
    padding = b"# " + b"x" * (MAX_BYTES - len(early) - 14) + b"\n"
    body = early + padding + b"Disallow: /news\nDisallow: /late\n"
    assert not allows(200, body)
    assert allows(200, body, "https://gazette.example/n") and allows(200, body, "https://gazette.example/late")


def test_crawl_delay_is_limited() -> None:
    copy = RobotsCopy("https://g.example", 200, b"User-agent: *\nCrawl-delay: 9999", datetime(2026, 5, 4, tzinfo=UTC))
    assert rules_of(copy, TOKEN).delay_seconds(TOKEN) == 60.0 and rules_of(copy, TOKEN).rest_seconds(TOKEN) == 9999
    short = RobotsCopy(copy.host, 200, b"User-agent: *\nCrawl-delay: 20", copy.fetched_at)
    assert rules_of(short, TOKEN).delay_seconds(TOKEN) == 20.0 and rules_of(short, TOKEN).rest_seconds(TOKEN) == 0


@pytest.mark.parametrize(
    ("media_type", "body", "is_page"),
    [
        ("text/html", b"<!doctype html><p>x", True),
        ("text/html", b"just words", True),
        ("image/png", b"<html><body>x", True),
        ("", b"\xef\xbb\xbf <!DOCTYPE HTML>", True),
        ("application/octet-stream", b"<html>", True),
        ("text/html", "\ufeff<html>".encode("utf-16-le"), True),
        ("text/plain", b"The ministry said [1]", True),
        ("text/html", b"%PDF-1.4", False),
        ("text/html", b"\x89PNG\r\n\x1a\n", False),
        ("application/zip", b"PK\x03\x04", False),
        ("text/html", b'{"json": true}', False),
        ("text/xml", b'<?xml version="1.0"?><rss version="2.0">', False),
        ("text/html", b"\x00\x01\x02\x03", False),
        ("video/mp4", b"....", False),
        ("", b"....", False),
    ],
)
def test_type_of_a_response_is_recognised_by_its_bytes(media_type: str, body: bytes, is_page: bool) -> None:
    assert (non_article_reason(media_type, body) == "") == is_page
