"""Loads publishers and stories of the newsroom, in the version of any day.

An article file is TOML between two `+++` lines, followed by paragraphs separated by blank lines. A paragraph may be
`## a subhead`, a `- list` (one item per line), or `::kind text` for page elements that are not part of the article:
caption, product, affiliate, related, newsletter, note, paywall. `[words](address)` is a link. `[[edit]]` tables
describe later edits.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent
LAST_DAY = date(2026, 5, 31)  # every story is published by then

_LINK = re.compile(r"\[([^\]]+)\]\(([^)\s]+)\)")
_BESIDE = re.compile(r"::(\w+) +(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class FeedPath:
    """One feed of a publisher: path, shape, and for listings and APIs the selectors of its fields."""

    path: str
    shape: str
    pass_all: bool
    items: str = ""
    link: str = ""
    title: str = ""
    date: str = ""
    summary: str = ""


@dataclass(frozen=True, slots=True)
class Publisher:
    """One publisher. `host` is the host of its canonical addresses; `robots` the text of its robots.txt, if any."""

    publisher_id: str
    title: str
    host: str
    source_type: str
    jurisdiction: str
    family: str
    layout: str
    feeds: tuple[FeedPath, ...]
    agency: bool = False
    robots: str | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class StoryEdit:
    """An edit of a published article. `replace`: (old, new), each old text unique; `kind`: text or boilerplate."""

    at: datetime
    kind: str
    replace: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class BodyBlock:
    """One block of a page's body. `kind` is p, h2, list, or one of the page elements beside the article."""

    kind: str
    text: str  # without link markup
    source: str  # with link markup
    items: tuple[str, ...] = ()  # of a list

    @property
    def of_article(self) -> bool:
        """Whether the block belongs to the article."""
        return self.kind in ("p", "h2", "list")


@dataclass(frozen=True, slots=True)
class Story:
    """One version of an article. Times are in UTC."""

    story_id: str
    publisher: Publisher
    path: str
    title: str
    published: datetime
    body: str
    byline: tuple[str, ...] = ()
    deck: str = ""
    section: str = ""
    credit: str = ""  # credited news agency
    reference: str = ""  # file number of a regulator
    language: str = "en"
    access: str = "full"
    encoding: str = "utf-8"  # of the page
    declared: str = ""  # encoding that page and header declare, if it is a wrong one
    broken: str = ""  # "truncated": the page breaks off
    modified: datetime | None = None
    edits: tuple[StoryEdit, ...] = field(default=(), repr=False)

    @property
    def url(self) -> str:
        """The canonical address, independent of where the newsroom runs."""
        return f"https://{self.publisher.host}{self.path}"

    @property
    def blocks(self) -> tuple[BodyBlock, ...]:
        """The blocks of the page's body, in order."""
        return tuple(_block(paragraph) for paragraph in re.split(r"\n\s*\n", self.body.strip()) if paragraph.strip())

    @property
    def text(self) -> str:
        """The text that a perfect parser returns: paragraphs and list items, separated by blank lines."""
        return "\n\n".join(block.text for block in self.blocks if block.kind in ("p", "list"))

    @property
    def summary(self) -> str:
        """The summary in feeds: the deck and the first paragraph."""
        first = next((block.text for block in self.blocks if block.kind == "p"), "")
        return f"{self.deck}. {first}" if self.deck else first

    def as_of(self, moment: datetime) -> Story | None:
        """Return the version published at a moment, or None if the story was not out yet."""
        if moment < self.published:
            return None
        body, modified = self.body, self.modified
        for edit in self.edits:
            if edit.at <= moment:
                for old, new in edit.replace:
                    if body.count(old) != 1:
                        raise ValueError(
                            f"{self.story_id}: edit of {edit.at}: {old[:50]!r} occurs {body.count(old)} times"
                        )
                    body = body.replace(old, new)
                modified = edit.at
        return _changed(self, body=body, modified=modified)

    @property
    def versions(self) -> tuple[Story, ...]:
        """All versions of the page, oldest first."""
        moments = [self.published, *(edit.at for edit in self.edits)]
        return tuple(version for moment in moments if (version := self.as_of(moment)))


def _changed(story: Story, *, body: str, modified: datetime | None) -> Story:
    values = {name: getattr(story, name) for name in story.__slots__}
    return Story(**(values | {"body": body, "modified": modified}))


def _block(paragraph: str) -> BodyBlock:
    paragraph = paragraph.strip()
    if beside := _BESIDE.fullmatch(paragraph):
        return BodyBlock(beside[1], _LINK.sub(r"\1", beside[2]), beside[2])
    if paragraph.startswith("## "):
        return BodyBlock("h2", paragraph[3:], paragraph[3:])
    if paragraph.startswith("- "):
        items = tuple(line[2:].strip() for line in paragraph.splitlines())
        return BodyBlock("list", "\n\n".join(_LINK.sub(r"\1", item) for item in items), paragraph, items)
    joined = " ".join(line.strip() for line in paragraph.splitlines())
    return BodyBlock("p", _LINK.sub(r"\1", joined), joined)


@cache
def publishers() -> dict[str, Publisher]:
    """Return the publishers by id, in the order of publishers.toml."""
    rows = tomllib.loads((FOLDER / "publishers.toml").read_text(encoding="utf-8"))["publisher"]
    found = {}
    for row in rows:
        feeds = tuple(FeedPath(**feed) for feed in row.pop("feeds"))
        publisher = Publisher(publisher_id=row.pop("id"), feeds=feeds, **row)
        found[publisher.publisher_id] = publisher
    return found


def read_story(path: Path) -> Story:
    """Return the story in an article file; raise ValueError if its front matter is missing or invalid."""
    parts = path.read_text(encoding="utf-8").split("+++\n", 2)
    if len(parts) != 3 or parts[0]:
        raise ValueError(f"{path}: an article file begins with front matter between two '+++' lines")
    try:
        front = tomllib.loads(parts[1])
        edits = tuple(
            StoryEdit(edit["at"], edit["kind"], tuple((old, new) for old, new in edit["replace"]))
            for edit in front.pop("edit", [])
        )
        byline = tuple(front.pop("byline", ()))
        publisher = publishers()[path.parent.name]
        return Story(story_id=path.stem, publisher=publisher, body=parts[2], byline=byline, edits=edits, **front)
    except (TypeError, KeyError, ValueError) as error:
        raise ValueError(f"{path}: {error}") from error


@cache
def stories() -> tuple[Story, ...]:
    """Return all stories in their first version, by time of publication."""
    found = [read_story(path) for path in sorted((FOLDER / "articles").glob("*/*.md"))]
    return tuple(sorted(found, key=lambda story: (story.published, story.story_id)))


def story(story_id: str) -> Story:
    """Return a story by its id; raise KeyError if there is none."""
    return {each.story_id: each for each in stories()}[story_id]


def end_of(day: date) -> datetime:
    """Return the last moment of a day, UTC."""
    return datetime.combine(day, time.max, tzinfo=UTC)


def out_by(moment: datetime, publisher_id: str | None = None) -> list[Story]:
    """Return the stories published at a moment, newest first, of one publisher or of all."""
    out = [
        version
        for each in stories()
        if publisher_id in (None, each.publisher.publisher_id) and (version := each.as_of(moment))
    ]
    return sorted(out, key=lambda each: (each.published, each.story_id), reverse=True)


def earlier_by_same(this: Story, count: int = 3) -> list[Story]:
    """Return the preceding stories of the same publisher. They are the same on every day, so pages do not change."""
    before = this.published - timedelta(seconds=1)
    return out_by(before, this.publisher.publisher_id)[:count]
