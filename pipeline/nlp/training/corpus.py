"""Reads training stories and annotated documents into examples: sentences in context with their claims.

Stories have the format of corpus/FORMAT.md. Annotated documents are a folder of texts and one of claims in the format
of docs/claims.md.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from pipeline.records import ATTRIBUTION_KINDS, EVENT_TYPES, ROLES, Force, Modality
from scrapers.reading.timestamps import known_day

FOLDER = Path(__file__).parent / "corpus"
REGISTERS = (
    "wire", "tabloid", "broadsheet", "trade", "press-release", "legal-notice", "newsletter", "op-ed", "transcript",
    "blog", "local", "broadcast",
)  # fmt: skip
_HEADING = ("story", "event-group", "register", "region", "published", "title")
_OPTIONAL = ("relevant",)  # "no": a document that is not about AI oversight, so its fines and bans are not claims
_DATE = re.compile(r"^(\d{4}(?:-\d\d(?:-\d\d)?)?) (stated|relative|publication)$")
_SENTENCE_END = re.compile(r"(?<=[.!?])[\"”’')\]]*\s+(?=[\"“‘'(\[]?[A-Z0-9@#])")
_ABBREVIATED = re.compile(
    r"\b(?:Mr|Mrs|Ms|Dr|Sen|Sens|Gov|Rep|Reps|Gen|St|Inc|Corp|Ltd|Co|No|vs|U\.S|U\.K|D\.C|[A-Z])\.$"
)


@dataclass(frozen=True, slots=True)
class NotedRole:
    """One participant of a claim: `text` is its words in the sentence ("" if none), `name` its full name."""

    role: str
    text: str
    name: str


@dataclass(frozen=True, slots=True)
class Note:
    """One claim noted below a sentence. `start` and `end` mark the trigger in the sentence."""

    type: str
    modality: str
    newness: str
    trigger: str
    start: int
    end: int
    direction: str | None = None
    optional: bool = False
    roles: tuple[NotedRole, ...] = ()
    date: str | None = None  # ISO at its precision
    date_basis: str | None = None
    attribution: str = "own_reporting"
    speaker: str | None = None
    force: str = Force.NOT_STATED.value
    event: str | None = None  # key of the event, in annotated documents


@dataclass(frozen=True, slots=True)
class Example:
    """A training sentence. `previous` is the sentence before it, `group` the event group of its story."""

    sentence: str
    previous: str
    notes: tuple[Note, ...]
    group: str
    source: str  # story or document
    place: str = ""  # file and line
    register: str = ""
    region: str = ""
    published: date | None = None
    relevant: bool = True  # False: the document is not about AI oversight
    title: str = ""


@dataclass(frozen=True, slots=True)
class CorpusFault:
    """An error in a corpus file, with its place."""

    place: str
    message: str

    def __str__(self) -> str:
        return f"{self.place}: {self.message}"


@dataclass(slots=True)
class CorpusReading:
    """All examples of a corpus and all faults in it."""

    examples: list[Example] = field(default_factory=list)
    faults: list[CorpusFault] = field(default_factory=list)


def read_corpus(folder: Path | None = None) -> CorpusReading:
    """Read every story of a folder (None: the packaged corpus). Faults are collected, not raised."""
    reading = CorpusReading()
    stories: dict[str, str] = {}
    for path in sorted((folder or FOLDER).glob("*.txt")):
        _File(path, reading, stories).read()
    return reading


class _File:
    """Reads one corpus file line by line."""

    def __init__(self, path: Path, reading: CorpusReading, stories: dict[str, str]) -> None:
        self.path, self.reading, self.stories = path, reading, stories
        self.heading: dict[str, str] = {}
        self.in_text = False
        self.previous = ""
        self.sentence = ""
        self.notes: list[Note] = []
        self.place = ""

    def read(self) -> None:
        for number, line in enumerate(self.path.read_text(encoding="utf-8").splitlines(), 1):
            here = f"{self.path.name}:{number}"
            if line.startswith("#"):
                self._finish()
                self._heading_line(line[1:].strip(), here)
            elif line.startswith("! "):
                self._finish()  # a line outside the body has no claims and is not an example
                self._begin_text(here)
            elif line.startswith(">"):
                self._claim_line(line[1:].strip(), here)
            elif line.strip():
                self._finish()
                self._begin_text(here)
                self.sentence, self.place = line.strip().removeprefix("\\"), here
            else:
                self._finish()
        self._finish()

    def _fault(self, here: str, message: str) -> None:
        self.reading.faults.append(CorpusFault(here, message))

    def _heading_line(self, line: str, here: str) -> None:
        if self.in_text:
            self.heading, self.in_text, self.previous = {}, False, ""
        parts = [line] if line.startswith("title:") else re.split(r"\s{2,}", line)
        for part in parts:
            key, colon, value = part.partition(":")
            key, value = key.strip(), value.strip()
            if not colon or key not in _HEADING + _OPTIONAL:
                self._fault(here, f"'{part}' is not a heading. Known headings: {', '.join(_HEADING + _OPTIONAL)}.")
            else:
                self.heading[key] = value

    def _begin_text(self, here: str) -> None:
        if self.in_text:
            return
        self.in_text = True
        for key in _HEADING:
            if not self.heading.get(key):
                self._fault(here, f"The story's heading lacks '{key}'. Add a line '# {key}: ...' above the text.")
        story = self.heading.get("story", "")
        if story and story in self.stories:
            self._fault(here, f"Story '{story}' already exists at {self.stories[story]}. Give it another name.")
        self.stories[story] = here
        if self.heading.get("register") and self.heading["register"] not in REGISTERS:
            self._fault(here, f"Unknown register '{self.heading['register']}'. Known: {', '.join(REGISTERS)}.")
        published = self.heading.get("published", "")
        try:
            date.fromisoformat(published)
        except ValueError:
            self._fault(here, f"published is '{published}'. Write a day such as 2026-05-08.")

    def _claim_line(self, line: str, here: str) -> None:
        if not self.sentence:
            self._fault(here, "This claim line has no sentence above it.")
            return
        try:
            self.notes.append(read_note(line, self.sentence))
        except ValueError as error:
            self._fault(here, str(error))

    def _finish(self) -> None:
        """Turn the current sentence into an example. It remains the context of the next one, across paragraphs."""
        if not self.sentence:
            return
        try:
            published = date.fromisoformat(self.heading.get("published", ""))
        except ValueError:
            published = None
        self.reading.examples.append(
            Example(
                self.sentence,
                self.previous,
                tuple(self.notes),
                self.heading.get("event-group", ""),
                self.heading.get("story", ""),
                self.place,
                self.heading.get("register", ""),
                self.heading.get("region", ""),
                published,
                self.heading.get("relevant") != "no",
                self.heading.get("title", ""),
            )
        )
        self.previous, self.sentence, self.notes = self.sentence, "", []


def read_note(line: str, sentence: str) -> Note:
    """Read one claim line (without its ">"). Raises ValueError with a message that says what to change."""
    parts = [part.strip() for part in re.split(r"\s\|\s", line)]
    if len(parts) < 2:
        raise ValueError("A claim line needs a description and a trigger: 'type modality new | trigger | actor=...'.")
    type_, modality, newness, direction, optional = _description(parts[0])
    start, end = _find(parts[1], sentence, "trigger")
    roles: list[NotedRole] = []
    values: dict[str, str] = {}
    for part in parts[2:]:
        key, equals, value = (each.strip() for each in part.partition("="))
        if not equals:
            raise ValueError(f"'{part}' is not of the form key=value.")
        if key in ROLES:
            roles.append(_role(key, value, sentence))
        elif key in values:
            raise ValueError(f"'{key}' is given twice.")
        elif key in ("date", "by", "force"):
            values[key] = value
        else:
            raise ValueError(f"Unknown key '{key}'. Known: {', '.join(ROLES)}, date, by, force.")
    if "date" not in values or "by" not in values:
        raise ValueError("A claim line needs 'date=' (or date=none) and 'by='.")
    if not roles and not optional:
        raise ValueError("A claim needs at least one participant.")
    force = values.get("force", Force.NOT_STATED.value)
    if force not in list(Force):
        raise ValueError(f"Unknown force '{force}'. Known: binding, voluntary, not_stated.")
    when, basis = _date(values["date"])
    attribution, speaker = _by(values["by"])
    return Note(
        type=type_,
        modality=modality,
        newness=newness,
        trigger=sentence[start:end],
        start=start,
        end=end,
        direction=direction,
        optional=optional,
        roles=tuple(roles),
        date=when,
        date_basis=basis,
        attribution=attribution,
        speaker=speaker,
        force=force,
    )


def _description(text: str) -> tuple[str, str, str, str | None, bool]:
    """Return type, modality, newness, direction and whether the claim is optional."""
    words = text.split()
    if len(words) < 3:
        raise ValueError(f"'{text}' should read: type modality [impose|lift] new|background [optional].")
    type_, modality, *rest = words
    if type_ not in EVENT_TYPES:
        raise ValueError(f"Unknown type '{type_}'. Known: {', '.join(EVENT_TYPES)}.")
    if modality not in list(Modality):
        raise ValueError(f"Unknown modality '{modality}'. Known: {', '.join(Modality)}.")
    direction = next((word for word in rest if word in ("impose", "lift")), None)
    newness = [word for word in rest if word in ("new", "background")]
    unknown = [word for word in rest if word not in ("impose", "lift", "new", "background", "optional")]
    if unknown or len(newness) != 1:
        raise ValueError(f"'{text}': the modality is followed by impose or lift, new or background, optional.")
    if (type_ == "restriction") != (direction is not None):
        raise ValueError(f"'{text}': a restriction needs impose or lift; other types must not have it.")
    return type_, modality, newness[0], direction, "optional" in rest


def _find(words: str, sentence: str, what: str) -> tuple[int, int]:
    match = re.fullmatch(r"(.+?)(?:#(\d))?", words, re.S)
    text, nth = (match[1], int(match[2] or 1)) if match else (words, 1)
    places = [each.start() for each in re.finditer(rf"(?<!\w){re.escape(text)}(?!\w)", sentence)]
    if len(places) < nth:
        raise ValueError(f"The {what} '{words}' is not in the sentence as whole words.")
    return places[nth - 1], places[nth - 1] + len(text)


def _role(role: str, value: str, sentence: str) -> NotedRole:
    words, arrow, name = (each.strip() for each in value.partition("->"))
    if words and words not in sentence:
        if arrow:
            raise ValueError(f"The words '{words}' of {role} are not in the sentence.")
        words, name = "", words  # the full name of a participant that the sentence does not mention
    if not words and not name:
        raise ValueError(f"{role} is empty.")
    return NotedRole(role, words, name or words)


def _date(value: str) -> tuple[str | None, str | None]:
    if value == "none":
        return None, None
    match = _DATE.match(value)
    try:
        if match:
            date.fromisoformat((match[1] + "-01-01")[:10] if len(match[1]) < 8 else match[1])
            return match[1], match[2]
    except ValueError:
        pass
    raise ValueError(f"date is '{value}'. Write '2026-05-08 relative' (or stated, publication), or 'none'.")


def _by(value: str) -> tuple[str, str | None]:
    kind, _, name = (each.strip() for each in value.partition(":"))
    if kind not in ATTRIBUTION_KINDS:
        raise ValueError(f"by is '{value}'. Write one of {', '.join(ATTRIBUTION_KINDS)}; a name follows after ':'.")
    return kind, name or None


def read_annotated(texts: Path, claims: Path) -> list[Example]:
    """Read annotated documents into examples, without ignored lines. Documents with the same news form a group."""
    documents = []
    for path in sorted(Path(claims).glob("*.json")):
        gold = json.loads(path.read_text(encoding="utf-8"))
        page = json.loads((Path(texts) / path.name).read_text(encoding="utf-8"))
        documents.append((path.stem, gold | {"title": page.get("title") or ""}, page["text"]))
    # Old events that many articles recall would join everything into one group; the folds separate them instead.
    news = [(name, {c["event"] for c in gold["claims"] if c["mention"] == "new"}) for name, gold, _ in documents]
    groups = connected(news)
    return [each for name, gold, text in documents for each in _document(name, gold, text, groups[name])]


def _document(name: str, gold: dict, text: str, group: str) -> Iterator[Example]:
    ignored = [
        match.span() for line in gold.get("ignore", []) if line.strip() for match in re.finditer(re.escape(line), text)
    ]
    placed = []
    for claim in gold["claims"]:
        start = -1
        for _ in range(int(claim.get("nth") or 1)):
            start = text.find(claim["quote"], start + 1)
        placed.append((start, start + len(claim["quote"]), claim))
    previous = ""
    for start, end in split_sentences(text, [(start, end) for start, end, _ in placed if start >= 0]):
        if any(start < other_end and other_start < end for other_start, other_end in ignored):
            continue
        sentence = text[start:end]
        notes = tuple(_note(claim, sentence) for at, stop, claim in placed if at == start and stop == end)
        day = known_day(gold.get("published"))
        relevant = bool(gold.get("relevant", True))
        yield Example(sentence, previous, notes, group, name, f"{name}:{start}", "", "", day, relevant, gold["title"])
        previous = sentence


def _note(claim: dict, sentence: str) -> Note:
    start = max(0, sentence.find(claim["trigger"]))
    when = claim.get("date") or {}
    return Note(
        claim["type"],
        claim["modality"],
        claim["mention"],
        claim["trigger"],
        start,
        start + len(claim["trigger"]),
        claim.get("direction"),
        bool(claim.get("optional")),
        tuple(NotedRole(each["role"], each.get("text") or "", each["name"]) for each in claim["participants"]),
        when.get("value"),
        when.get("basis"),
        claim["attribution"]["kind"],
        claim["attribution"].get("name"),
        claim.get("force", "not_stated"),
        claim["event"],
    )


def split_sentences(text: str, fixed: Iterable[tuple[int, int]] = ()) -> list[tuple[int, int]]:
    """Split a text into sentence spans, keeping `fixed` spans whole. For training only: extraction uses the parser."""
    kept = sorted(set(fixed))
    borders, at = [], 0
    for start, end in kept:
        if start >= at:
            borders += [(at, start, False), (start, end, True)]
            at = end
    borders.append((at, len(text), False))
    return [span for start, end, whole in borders for span in ([(start, end)] if whole else _split(text, start, end))]


def _split(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    for line in re.finditer(r"[^\n]+", text[start:end]):
        at = start + line.start()
        for match in _SENTENCE_END.finditer(line[0]):
            cut = start + line.start() + match.start() + len(match[0].rstrip())
            if _ABBREVIATED.search(text[at:cut]):
                continue
            yield from _trimmed(text, at, cut)
            at = start + line.start() + match.end()
        yield from _trimmed(text, at, start + line.end())


def _trimmed(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    if any(letter.isalpha() for letter in text[start:end]):
        yield start, end


def connected(documents: Sequence[tuple[str, set[str]]]) -> dict[str, str]:
    """Return document -> group: documents linked by shared events form a group named after its first document."""
    leader = {name: name for name, _ in documents}

    def find(name: str) -> str:
        while leader[name] != name:
            name = leader[name]
        return name

    owner: dict[str, str] = {}
    for name, events in documents:
        for event in sorted(events):
            first, second = sorted((find(owner.setdefault(event, name)), find(name)))
            leader[second] = first
    return {name: find(name) for name, _ in documents}


def data_hash(examples: Iterable[Example]) -> str:
    """Return a hash of 16 hex digits over all sentences and notes."""
    digest = hashlib.sha256()
    for each in examples:
        digest.update(repr((each.sentence, each.previous, each.notes, each.group)).encode())
    return digest.hexdigest()[:16]
