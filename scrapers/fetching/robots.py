"""A robots.txt as it was answered comes in; whether an address may be fetched, and how slowly, goes out (RFC 9309)."""

from __future__ import annotations

from dataclasses import dataclass, field

from protego import Protego

from scrapers.messages import RobotsCopy

MOST_BYTES = 500 * 1024
LONGEST_DELAY_SECONDS = 60.0  # a longer one is kept between runs, not within one
LONGEST_REST_SECONDS = 86_400.0


@dataclass(frozen=True, slots=True)
class Rules:
    """What one host's robots.txt allows. `closed` says why everything is forbidden for now, "" where it is not."""

    closed: str = ""
    parser: Protego | None = field(default=None, repr=False)

    def allows(self, url: str, token: str) -> bool:
        """Tell whether a crawler of this name may fetch an address."""
        return not self.closed and (self.parser is None or self.parser.can_fetch(url, token))

    def delay_seconds(self, token: str) -> float:
        """Return the pause within a run that the host asks for between two requests, 0 where it asks for none."""
        return min(self._asked(token), LONGEST_DELAY_SECONDS)

    def rest_seconds(self, token: str) -> float:
        """Return how long the host is to rest after one request, 0 where a pause within a run will do."""
        asked = self._asked(token)
        return min(asked, LONGEST_REST_SECONDS) if asked > LONGEST_DELAY_SECONDS else 0.0

    def _asked(self, token: str) -> float:
        return (self.parser.crawl_delay(token) if self.parser is not None else None) or 0.0


NOT_FETCHED = "robots.txt could not be fetched"


def rules_of(copy: RobotsCopy, why: str = "") -> Rules:
    """Read a robots.txt: 4xx leaves everything open, no answer or 5xx (or 429) closes everything for now.

    Only the first 500 KiB count. An HTML page is no robots.txt: many sites answer every address with one. `why`: the
    reason for which there was no answer, where it is known.
    """
    if copy.status == 0:
        return Rules(f"{NOT_FETCHED}{f' ({why})' if why else ''}, which counts as closed until it can")
    if copy.status == 429 or copy.status >= 500:
        return Rules(f"robots.txt was answered with status {copy.status}, which counts as closed until it is not")
    if not 200 <= copy.status < 300:
        return Rules()
    body = copy.body[:MOST_BYTES]
    if len(copy.body) > MOST_BYTES:
        body = body.rpartition(b"\n")[0]
    text = body.decode("utf-8", "replace").removeprefix("\ufeff")
    if text.lstrip()[:1] == "<":
        return Rules()
    return Rules(parser=Protego.parse(text))
