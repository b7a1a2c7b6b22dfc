"""The whole line on one screen: articles come in, findings go out. Pure: nothing is read or written besides the tools.

gate -> paragraphs -> names -> parse -> references -> frames (and the classifier where they are silent) -> attribution,
dates, evidence.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from pipeline.lexicon.entities import Lexicon
from pipeline.lexicon.event_type_cards import EventTypes, load_event_types
from pipeline.lexicon.load import load_lexicon
from pipeline.nlp.assemble import assemble
from pipeline.nlp.attribution import Speakers, title_speaker
from pipeline.nlp.credits import find_credits
from pipeline.nlp.entities.coreference import PARTIES, Referents
from pipeline.nlp.entities.first_person import WE_SAYS, releasing
from pipeline.nlp.entities.mentions import NameFinder, unknown_names
from pipeline.nlp.events.calibration import Judge, load_calibrator
from pipeline.nlp.events.frames import ClaimReader, Draft
from pipeline.nlp.events.fusion import Thresholds, read_learned
from pipeline.nlp.parsing.paragraphs import BODY, find_paragraphs
from pipeline.nlp.parsing.parser import Language, Passage, load_language
from pipeline.nlp.relevance.score import judge_relevance
from pipeline.records import EntityKind, Findings, Mention
from scrapers.items import Article
from scrapers.reading.decoding import whole

LONGEST = 150_000  # characters of a text that are read, some 25,000 words; the findings say how many were left
SURE = 0.75  # confidence of a claim that makes an article relevant where the gate is in doubt
_PRESIDENT = re.compile(r"\bvested in me as President\b")  # the first words of a U.S. executive order


@dataclass(frozen=True)
class Tools:
    """What understanding needs; made once, used for every article.

    `classifier` None: frames alone; `judge` None: confidence stays the uncalibrated score.
    """

    language: Language
    lexicon: Lexicon
    names: NameFinder
    event_types: EventTypes
    classifier: object | None = None
    thresholds: Thresholds = Thresholds()
    judge: Judge | None = None
    only_relevant: bool = True  # False: every text is read, whatever it is about


def load_tools(*, classifier: bool = True, only_relevant: bool = True, lexicon: Iterable[Path] = ()) -> Tools:
    """Load lexicon, cards, parser and, unless told otherwise, the classifier (takes about two seconds)."""
    names = load_lexicon(*lexicon)
    found = None
    if classifier:
        from pipeline.nlp.classifier.runtime import Classifier  # heavy: onnxruntime

        found = Classifier.load()
    return Tools(
        load_language(),
        names,
        NameFinder(names),
        load_event_types(),
        found,
        judge=load_calibrator(),
        only_relevant=only_relevant,
    )


def extract(article: Article, tools: Tools) -> Findings:
    """Return what one version of an article claims; no text makes it fail, an irrelevant one has no claims.

    Of a text longer than LONGEST the beginning is read, up to a paragraph's or a word's end; `unread` says how much is
    left. Halves of surrogate pairs, which no file can hold, are read as U+FFFD.
    """
    article = _encodable(article)
    judged = judge_relevance(article.title, article.text)
    off_topic = Findings(article.article_id, article.version, False, judged.score)
    if tools.only_relevant and not (judged.relevant or judged.doubtful):
        return off_topic
    article, unread = _shortened(article)
    day = article.published_at.date() if article.published_at else None
    passages, mentions, referents, author = read_text(article, tools, day)
    reader = ClaimReader(tools.event_types, referents)
    drafts: list[Draft] = []
    for passage in passages:
        drafts += reader.read(passage)
    drafts = read_learned(drafts, passages, reader.roles, tools.event_types, tools.classifier, tools.thresholds)
    if tools.judge is not None:
        drafts = tools.judge.judge(drafts)
    if tools.only_relevant and judged.doubtful and not any(draft.confidence >= SURE for draft in drafts):
        return off_topic
    speakers = Speakers(passages, referents, author, article.publisher)
    claims, entities, gaps = assemble(article, drafts, speakers, tools.lexicon, day)
    return Findings(
        article.article_id, article.version, True, judged.score, claims, find_credits(article, mentions), gaps,
        entities, unread,
    )  # fmt: skip


def _encodable(article: Article) -> Article:
    words = (article.title, article.text, article.publisher)
    mended = tuple(map(whole, words))
    return article if mended == words else replace(article, title=mended[0], text=mended[1], publisher=mended[2])


def _shortened(article: Article) -> tuple[Article, int]:
    """Return an article whose text is not too long, and how many characters were cut off its end."""
    text = article.text
    if len(text) <= LONGEST:
        return article, 0
    cut = next((at for mark in "\n " if (at := text.rfind(mark, LONGEST // 2, LONGEST)) > 0), LONGEST)
    return replace(article, text=text[:cut]), len(text) - cut


def extract_many(articles: Iterable[Article], tools: Tools) -> Iterator[Findings]:
    """Understand articles one after the other, lazily."""
    for article in articles:
        yield extract(article, tools)


def read_text(
    article: Article, tools: Tools, day: date | None
) -> tuple[list[Passage], list[Mention], Referents, Mention | None]:
    """Return the parsed body paragraphs, the names in the text, what tokens refer to, and the author if one speaks."""
    body = [(p.start, p.end) for p in find_paragraphs(article.text) if p.kind == BODY]
    mentions = tools.names.find(article.text, day)
    passages = list(tools.language.parse(article.text, body, mentions))
    author = author_of(article, tools, day)
    unknown = unknown_names(passages, tools.lexicon)
    speaking = author or _releasing(article, tools, day)
    return passages, mentions, Referents(passages, unknown, tools.lexicon, day, speaking), author


def _releasing(article: Article, tools: Tools, day: date | None) -> Mention | None:
    """Return the body that speaks as "we" in a release of its own."""
    if not WE_SAYS.search(article.text):
        return None
    title = article.title
    mentions = tools.names.find(f"{title}\n{article.text}", day)
    first = next((m for m in mentions if m.end <= len(title) and title[: m.start].lower().strip() in ("", "the")), None)
    if first is not None and first.kind is EntityKind.PLACE:
        governments = {place.entity_id: place.government_id for place in tools.lexicon.places}
        found = governments.get(first.entity_id)
        first = tools.names.mention(-1, -1, "", found, day, "reference") if found else None
    house = first if first is not None and first.kind in PARTIES else None
    return releasing(title, article.text, article.publisher, mentions, house)


def author_of(article: Article, tools: Tools, day: date | None) -> Mention | None:
    """Return who "we" and "I" are outside quotations: the speaker in the title, else a publisher that acts itself."""
    if _PRESIDENT.search(article.text) and (role := tools.lexicon.holder("President of the United States", day)):
        return tools.names.mention(-1, -1, "", role.person_id, day, "reference")
    speaker = title_speaker(article.title)
    for words in (speaker, article.publisher):
        if not words:
            continue
        found = [m for m in tools.names.find(words, day) if m.kind not in (EntityKind.OUTLET, EntityKind.PLACE)]
        persons = [m for m in found if m.kind is EntityKind.PERSON]
        if found:
            return (persons or found)[-1]
    return None
