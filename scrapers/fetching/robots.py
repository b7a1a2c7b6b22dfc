"""Interprets robots.txt files (RFC 9309)."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable
from dataclasses import dataclass, field

from protego import Protego

from scrapers.messages import RobotsCopy

MAX_BYTES = 500 * 1024
MAX_DELAY_SECONDS = 60.0  # longer delays are kept between runs instead of within one
MAX_REST_SECONDS = 86_400.0
_WITH_VALUE = frozenset({"max-snippet", "max-image-preview", "max-video-preview", "unavailable_after"})
_AGENT_LINE = re.compile(r"^([ \t]*user[- ]?agent[ \t]*:[ \t]*)([^\s#]+)[^\r\n]*", re.I | re.M)


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules of one site. `closed`: why everything is forbidden for now, else ""; with the Retry-After given."""

    closed: str = ""
    retry_after: str = ""
    parser: Protego | None = field(default=None, repr=False)

    def allows(self, url: str, token: str) -> bool:
        """Return whether a crawler with this name may fetch a URL."""
        return not self.closed and (self.parser is None or self.parser.can_fetch(url, token))

    def delay_seconds(self, token: str) -> float:
        """Return the crawl delay to keep within a run, 0 for none."""
        return min(self._crawl_delay(token), MAX_DELAY_SECONDS)

    def rest_seconds(self, token: str) -> float:
        """Return a crawl delay that is too long to keep within a run, else 0."""
        asked = self._crawl_delay(token)
        return min(asked, MAX_REST_SECONDS) if asked > MAX_DELAY_SECONDS else 0.0

    def _crawl_delay(self, token: str) -> float:
        return (self.parser.crawl_delay(token) if self.parser is not None else None) or 0.0


NOT_FETCHED = "robots.txt could not be fetched"


def rules_of(copy: RobotsCopy, token: str, why: str = "", retry_after: str = "") -> Rules:
    """Return the rules in a robots.txt: 4xx allows everything; no response, 5xx and 429 forbid everything for now.

    Only the first 500 KiB count. HTML is ignored, since many sites answer every URL with a page.

    Args:
        copy: The robots.txt.
        token: The crawler's name. A group for "Name/1.0" or "NAME" is for the crawler "Name".
        why: The reason why there was no response, if known.
        retry_after: The Retry-After header of a response that forbids everything.
    """
    if copy.status == 0:
        return Rules(f"{NOT_FETCHED}{f' ({why})' if why else ''}, so all URLs are forbidden until it can")
    if copy.status == 429 or copy.status >= 500:
        closed = f"robots.txt was answered with status {copy.status}, so all URLs are forbidden for now"
        return Rules(closed, retry_after)
    if not 200 <= copy.status < 300:
        return Rules()
    body = copy.body[:MAX_BYTES]
    if len(copy.body) > MAX_BYTES:
        body = body.rpartition(b"\n")[0]
    text = body.decode("utf-8", "replace").removeprefix("\ufeff")
    if text.lstrip()[:1] == "<":
        return Rules()
    return Rules(parser=Protego.parse(_AGENT_LINE.sub(lambda line: line[1] + _product(line[2], token), text)))


def refused_directive(values: Iterable[str], refused: Container[str], token: str) -> str:
    """Return the first directive that forbids what we do, or "".

    Args:
        values: X-Robots-Tag headers or the contents of <meta name="robots">, such as "noarchive, otherbot: noai".
        refused: The directives that count, in lower case.
        token: Our name. A directive after "name:" is for that crawler alone, until the next name.
    """
    for value in values:
        ours = True
        for part in value.split(","):
            name, colon, rest = part.strip().partition(":")
            if colon and name.strip().lower() not in _WITH_VALUE:
                ours, part = name.strip().lower() == token.lower(), rest
            directive = part.strip().lower()
            if ours and directive in refused:
                return directive
    return ""


def _product(name: str, token: str) -> str:
    """Return a name in a robots.txt so that the parser, which compares beginnings, matches it only if it is equal."""
    name = name.partition("/")[0]
    return name if name.lower() == token.lower() or not token.lower().startswith(name.lower()) else f"not-{name}"
