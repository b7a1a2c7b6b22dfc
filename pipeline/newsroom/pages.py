"""Renders article pages, front pages and listings in each publisher's layout."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any

import jinja2
from markupsafe import Markup, escape

from pipeline.newsroom.stories import FOLDER, Publisher, Story, earlier_by_same

_LINK = re.compile(r"\[([^\]]+)\]\(([^)\s]+)\)")


def _inline(source: str) -> Markup:
    """Return a paragraph as HTML, with [words](address) as links."""
    parts, at = [], 0
    for link in _LINK.finditer(source):
        parts += [escape(source[at : link.start()]), Markup('<a href="{}">{}</a>').format(link[2], link[1])]
        at = link.end()
    return Markup("").join([*parts, escape(source[at:])])


def _ld(value: Any) -> Markup:
    return Markup(json.dumps(value, ensure_ascii=False).replace("</", "<\\/"))


def _people(story: Story, kind: str) -> list[dict[str, str]]:
    return [{"@type": kind, "name": name} for name in story.byline]


@cache
def _layouts() -> jinja2.Environment:
    layouts = jinja2.Environment(
        loader=jinja2.FileSystemLoader(FOLDER / "layouts"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    layouts.filters.update(inline=_inline, ld=_ld)
    layouts.globals.update(people=_people)
    return layouts


def article_page(story: Story) -> bytes:
    """Return the page of an article in the story's encoding; the bytes are the same on every machine.

    The page of a `broken` story stops in the middle of the fourth paragraph, closes no element, and ends in bytes that
    are invalid in its encoding.
    """
    html = _layouts().get_template(story.publisher.layout).render(story=story, related=earlier_by_same(story))
    body = html.encode(story.encoding, errors="xmlcharrefreplace")
    if story.broken == "truncated":
        fourth = [block.source for block in story.blocks if block.kind == "p"][3]
        stop = body.index(str(_inline(fourth)).encode(story.encoding)) + len(fourth) // 2
        body = body[:stop] + b"\xff\xfe\x00\xc3<p cl"
    return body


def front_page(publisher: Publisher, stories: list[Story]) -> bytes:
    """Return a publisher's front page, with links to its feeds and stories."""
    return _layouts().get_template("front_page.html").render(publisher=publisher, stories=stories).encode()


def listing_page(stories: list[Story]) -> bytes:
    """Return the listing page of a publisher without a feed."""
    return _layouts().get_template("latest.html").render(stories=stories).encode()
