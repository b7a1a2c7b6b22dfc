"""Decides which drafts of an article are news and which are background.

Events are new if the first paragraphs report them, if they carry the date of the news, if they repeat such an event, or
if they are in progress when the article is written. Everything else, and whatever grammar or an older date puts in the
past, is background. `events.force.newness_of` gives the first estimate from grammar alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING

from pipeline.lexicon.speech_verbs import STATING
from pipeline.records import DateSpan, Modality
from scrapers.items import Precision

if TYPE_CHECKING:
    from spacy.tokens import Token

    from pipeline.nlp.events.frames import Draft

LEAD = 3  # paragraphs that report the news
FRESH = timedelta(days=4)  # maximum age of news
# Articles rarely recall what has not happened.
_OPEN = (Modality.PLANNED, Modality.CONDITIONAL, Modality.POSTPONED, Modality.NEGATED)
_DONE = (Modality.OCCURRED, Modality.NEGATED, Modality.ALLEGED)
_EARLIER = frozenset({"already", "previously", "earlier", "recently", "originally", "initially", "formerly", "long"})
_AFTER_PREPOSITION = ("pobj", "pcomp")  # "after the ban", "in its suit": such an event is known already
_JOINING = frozenset({"now", "also", "therefore", "thus", "accordingly", "consequently"})
_ELSEWHERE = ("Separately", "Meanwhile", "Elsewhere", "In other news", "Also ")
_POSITION_VERBS = frozenset(
    f"{verb}{ending}"
    for verb in ("want", "refuse", "demand", "insist", "seek", "reject", "oppose", "resist", "decline")
    for ending in ("", "s")
)
_RULING = frozenset({"must", "may", "shall"})  # "no contractor may deal with them" imposes the ban
_PROMISES = frozenset({"commit", "pledge", "promise", "vow", "undertake", "agree"})


def judge_newness(
    drafts: Sequence[Draft],
    dates: Sequence[DateSpan | None],
    before: Sequence[DateSpan | None],
    day: date | None,
    news: date | None = None,
) -> list[str]:
    """Return "new" or "background" for each draft, in order.

    Args:
        drafts: The drafts of one article, in text order.
        dates: The date of each draft.
        before: The last past date in the sentence before each draft's.
        day: The day of publication.
        news: The day of the news according to the first lines, if they name one.
    """
    dates = [
        earlier if _lies_before(earlier, news or day) and not _has_own(own) and continues_story(draft) else own
        for draft, own, earlier in zip(drafts, dates, before, strict=True)
    ]
    lead = [draft for draft, when in zip(drafts, dates, strict=True) if _is_lead(draft, when, day, news)]
    if not any(draft.paragraph == 0 for draft in lead):
        lead += [draft for draft, when in zip(drafts, dates, strict=True) if _opens_article(draft, when)]
    return [_newness(draft, when, day, news, lead) for draft, when in zip(drafts, dates, strict=True)]


def _newness(draft: Draft, when: DateSpan | None, day: date | None, news: date | None, lead: list[Draft]) -> str:
    if _is_of_the_day(draft, when, news) or any(draft is other for other in lead):
        return "new"
    if _is_old(draft, when, day, news) or _is_earlier(draft.trigger):
        return "background"
    if _is_promise(draft.trigger):
        return "new"
    undated = not _has_own(when)
    repeats = any(_repeats(draft, other) for other in lead)
    if draft.newness == "background" and not _is_reported_as_ongoing(draft.trigger):
        again = undated and "had" not in _helpers(draft.trigger) and draft.trigger.dep_ not in _AFTER_PREPOSITION
        return "new" if again and repeats else "background"
    if undated and (_is_next_step(draft) or _is_disclosed(draft)):
        return "new"
    if _is_fresh(when, day) or _is_ongoing(draft) or repeats:
        return "new"
    joins = draft.trigger.dep_ in ("ROOT", "conj") and continues_story(draft) and _has_type_of_lead(draft, lead)
    if undated and joins:
        return "new"
    is_open = draft.modality in _OPEN or draft.modality is Modality.CONSIDERED and not _was_weighed(draft.trigger)
    return "new" if is_open and draft.trigger.pos_ in ("VERB", "AUX") else "background"


def _is_next_step(draft: Draft) -> bool:
    """Return whether an adverb links an act to the news: "has now begun", "also undertook", "therefore ordered"."""
    adverbs = {child.lower_ for child in draft.trigger.children if child.dep_ == "advmod"}
    if draft.modality is not Modality.OCCURRED or draft.trigger.dep_ not in ("ROOT", "conj") or not adverbs & _JOINING:
        return False
    return draft.trigger.tag_ in ("VBD", "VBN") and "had" not in _helpers(draft.trigger)


def _is_disclosed(draft: Draft) -> bool:
    """Return whether somebody announced an act just done: "said that it has formed a task force"."""
    verb, helpers = draft.trigger, _helpers(draft.trigger)
    said = verb.dep_ == "ccomp" and verb.head.tag_ == "VBD" and verb.head.lower_ in STATING and verb.head.i < verb.i
    return said and draft.modality is Modality.OCCURRED and verb.tag_ == "VBN" and bool(helpers & {"has", "have"})


def _has_type_of_lead(draft: Draft, lead: list[Draft]) -> bool:
    """Return whether the lead reports an event of the same type: "Google signed as well", "Meta refused"."""
    return any(other.type == draft.type and other.direction == draft.direction for other in lead)


def _has_own(when: DateSpan | None) -> bool:
    return when is not None and when.basis != "publication"


def _lies_before(when: DateSpan | None, day: date | None) -> bool:
    return when is not None and day is not None and when.end < day


def continues_story(draft: Draft) -> bool:
    """Return whether a sentence continues the story of the one before: past tense, no "has" or "is"."""
    helpers = {child.lower_ for child in draft.trigger.children if child.dep_ in ("aux", "auxpass")}
    if draft.sent.text.startswith(_ELSEWHERE):
        return False
    if draft.modality not in _DONE or _comes_before(draft.trigger):
        return False
    return draft.trigger.tag_ == "VBD" or bool(helpers & {"was", "were"}) or _reporting_verb(draft.trigger) is not None


def _comes_before(trigger: Token) -> bool:
    """Return whether an event precedes its sentence's story: "Her remarks come after the ministry gave it a week"."""
    for verb in (trigger, *trigger.ancestors):
        if any(child.dep_ == "mark" and child.lower_ == "after" for child in verb.children):
            return True
        if verb.dep_ == "pcomp" and verb.head.lower_ == "after":
            return True
    return False


def _reporting_verb(trigger: Token) -> Token | None:
    """Return the past-tense speech verb above a present-tense one: "stressed that it wants"."""
    if trigger.dep_ != "ccomp" or trigger.tag_ == "VBN":
        return None
    verb = trigger.head
    return verb if verb.tag_ == "VBD" and verb.lower_ in STATING and verb.i < trigger.i else None


def is_as_of_now(trigger: Token) -> bool:
    """Return whether a verb describes the state at the time of writing: "has barred them", "wants access".

    News reports an act of a given day in the simple past.
    """
    helpers = {child.lower_ for child in trigger.children if child.dep_ in ("aux", "auxpass")}
    if trigger.tag_ == "VBN":
        return bool(helpers & {"has", "have", "'ve", "’ve"})
    return trigger.tag_ in ("VBZ", "VBP") and not helpers


def _is_lead(draft: Draft, when: DateSpan | None, day: date | None, news: date | None) -> bool:
    if draft.paragraph >= LEAD or draft.newness != "new" or _is_old(draft, when, day, news):
        return False
    return not (_is_earlier(draft.trigger) or draft.paragraph and _was_threatened(draft))


def _opens_article(draft: Draft, when: DateSpan | None) -> bool:
    """Return whether the first sentence names an event in passing: "The new head of the office is ..."."""
    first = draft.paragraph == 0 and not draft.sent.start and not _has_own(when) and draft.modality in _DONE
    aside = draft.trigger.dep_ in ("relcl", "acl", "advcl", *_AFTER_PREPOSITION)
    return first and not aside and "had" not in _helpers(draft.trigger)


def _is_old(draft: Draft, when: DateSpan | None, day: date | None, news: date | None) -> bool:
    """Return whether an event's own date precedes the news, or is too vague for news."""
    if when is None or day is None or when.basis == "publication":
        return False
    if when.precision is not Precision.DAY and draft.paragraph and draft.modality in _DONE:
        return True
    if draft.paragraph < LEAD:
        return when.end < min(day - FRESH, news or day)
    return when.end < (news or day)


def _is_fresh(when: DateSpan | None, day: date | None) -> bool:
    """Return whether a date stated in the text is recent, at most FRESH before publication, or in the future."""
    return when is not None and day is not None and when.basis != "publication" and when.start >= day - FRESH


def _is_of_the_day(draft: Draft, when: DateSpan | None, news: date | None) -> bool:
    """Return whether an act happened on the day of the news."""
    return (
        news is not None
        and when is not None
        and when.basis != "publication"
        and when.start == when.end == news
        and draft.modality is Modality.OCCURRED
        and draft.trigger.tag_ in ("VBD", "VBN", "VBG")
        and not any(child.lower_ in ("had", "'d", "’d") for child in draft.trigger.children)
    )


def _is_earlier(trigger: Token) -> bool:
    """Return whether an adverb puts a verb before the news: "has already agreed"."""
    return any(child.dep_ == "advmod" and child.lower_ in _EARLIER for child in trigger.children)


def _was_threatened(draft: Draft) -> bool:
    """Return whether an act was considered before the news: "has threatened to label"."""
    governor = _governor(draft.trigger)
    helpers = _helpers(governor)
    return draft.modality is Modality.CONSIDERED and governor.tag_ == "VBN" and bool(helpers & {"has", "have", "had"})


def _was_weighed(trigger: Token) -> bool:
    """Return whether an act was considered in the past: "was considering invoking", "has threatened to label"."""
    governor = _governor(trigger)
    return governor.tag_ == "VBD" or bool(_helpers(governor) & {"was", "were", "has", "have", "had"})


def _governor(trigger: Token) -> Token:
    """Return the verb above a chain of infinitives and participles."""
    governor = trigger
    while governor.dep_ in ("xcomp", "conj", "pcomp", "prep") and (governor.tag_ in ("VB", "VBG", "IN")):
        governor = governor.head
    return governor


def _is_ongoing(draft: Draft) -> bool:
    """Return whether an act is in progress: "I am directing", "is refusing"."""
    if _is_reported_as_ongoing(draft.trigger):
        return True
    ruling = _helpers(draft.trigger) & _RULING and _reporting_verb(draft.trigger) is None
    if draft.modality is Modality.OCCURRED and ruling:
        return True
    trigger = _main_verb(draft.trigger)
    helpers = _helpers(trigger)
    if trigger.tag_ in ("VBP", "VBZ") and not helpers and trigger.dep_ not in ("relcl", "advcl"):
        return trigger.lower_ in _POSITION_VERBS
    return trigger.tag_ == "VBG" and bool(helpers & {"am", "is", "are", "'m", "’m", "'s", "’s", "'re", "’re"})


def _helpers(verb: Token) -> set[str]:
    return {child.lower_ for child in verb.children if child.dep_ == "aux"}


def _main_verb(trigger: Token) -> Token:
    """Return the verb above an infinitive: "directing" in "I am directing the ministry to bar them"."""
    while trigger.dep_ in ("xcomp", "ccomp") and trigger.tag_ == "VB":
        trigger = trigger.head
    return trigger


def _is_reported_as_ongoing(trigger: Token) -> bool:
    """Return whether somebody reported an act as ongoing: "announced that she was barring them"."""
    trigger = _main_verb(trigger)
    return (
        trigger.tag_ == "VBG"
        and trigger.dep_ == "ccomp"
        and trigger.head.tag_ == "VBD"
        and any(child.lower_ in ("was", "were") for child in trigger.children if child.dep_ == "aux")
    )


def _is_promise(trigger: Token) -> bool:
    """Return whether a verb performs its act: "The companies commit to", not "companies that commit to"."""
    subjects = [child.lower_ for child in trigger.children if child.dep_ in ("nsubj", "aux", "mark", "advmod")]
    return (
        trigger.tag_ in ("VBP", "VBZ")
        and trigger.lower_.removesuffix("s") in _PROMISES
        and not {"that", "which", "who", "if", "when", "until", "unless", "do", "does"} & set(subjects)
    )


def _repeats(draft: Draft, other: Draft) -> bool:
    """Return whether two drafts name the same event: same type and direction, and shared participants."""
    if draft.type != other.type or draft.direction != other.direction:
        return False
    mine = {party.entity_id for party in draft.participants if party.role != "affected"}
    its = {party.entity_id for party in other.participants if party.role != "affected"}
    return len(mine & its) >= min(2, len(mine), len(its))
