"""Applies the editors' decisions to findings, and reports the status of each.

A decision applies as long as its sentence is in the article, whatever the program now finds there. If the sentence has
changed, the decision is reopened; if nothing fits, it waits. None is dropped. Pure.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from pipeline.ledger.reviews.decisions import (
    APPLIED,
    MARKS,
    ON_CLAIMS,
    REOPENED,
    REPLACED,
    WAITING,
    Decision,
    Effect,
    Reviewed,
    Sentence,
)
from pipeline.ledger.reviews.fields import complete, differences, fields_of, with_fields
from pipeline.ledger.reviews.links import Found, link
from pipeline.ledger.reviews.locate import claim_in, locate, nearest
from pipeline.ledger.reviews.names import Names, Spot, carried_names, day_of, key, with_counts
from pipeline.records import Attribution, Claim, Evidence, Findings, Force, Modality, claim_id
from scrapers.items import Article

Former = Callable[[str], Iterable[str]]  # article id -> the texts of its earlier versions
RULE = "editor"  # of claims that an editor added


@dataclass
class _Page:
    """One article while its decisions are applied, with its claims by id."""

    article: Article
    found: Findings
    names: Names
    machine: dict[str, Claim]
    claims: dict[str, Claim]
    effects: list[Effect] = field(default_factory=list)
    marks: dict[str, str] = field(default_factory=dict)
    rejected: set[str] = field(default_factory=set)


def apply_reviews(
    findings: Iterable[Findings],
    articles: Mapping[str, Article],
    decisions: Iterable[Decision],
    names: Names,
    former: Former = lambda article_id: (),
    owner: Container[str] = (),
    carried: Callable[[str], Sequence[str]] | None = None,
) -> Reviewed:
    """Return the findings after all decisions, in the order of the findings.

    Args:
        findings: The findings of some articles.
        articles: By id, the version that each finding was read from.
        decisions: Those of the file.
        names: The result of settle_names().
        former: Article id -> the texts of its earlier versions.
        owner: Ids of claims outside `findings`.
        carried: Unknown name -> its claims outside `findings`, see with_counts().
    """
    decisions = tuple(decisions)
    findings = tuple(findings)
    here = {c.claim_id for f in findings for c in f.claims}
    on_article: dict[str, list[Decision]] = defaultdict(list)
    for decision in sorted(decisions, key=lambda d: d.order):
        if decision.action in ON_CLAIMS:
            on_article[decision.sentences[0].article_id].append(decision)
    pages: dict[str, _Page] = {}
    for found in findings:
        page = _open(articles[found.article_id], found, names)
        _decide(page, on_article.get(found.article_id, ()), lambda id_: id_ in here or id_ in owner, former)
        pages[found.article_id] = page

    effects = [effect for page in pages.values() for effect in page.effects]
    effects += [_elsewhere(decision) for id_, some in on_article.items() if id_ not in pages for decision in some]
    names_of = carried_names(findings)
    effects += with_counts(names, carried or (lambda name: names_of.get(name, ())))
    linked = link(decisions, lambda sentence: _found(sentence, pages, former))
    effects += linked.effects
    effects.sort(key=lambda effect: effect.decision.place)
    return Reviewed(
        findings=tuple(_close(page) for page in pages.values()),
        effects=tuple(effects),
        marks={id_: mark for page in pages.values() for id_, mark in page.marks.items()},
        rejected=frozenset(id_ for page in pages.values() for id_ in page.rejected),
        together=linked.together,
        apart=linked.apart,
    )


def _open(article: Article, found: Findings, names: Names) -> _Page:
    machine = {claim.claim_id: claim for claim in found.claims}
    settled = {id_: names.settle(claim) for id_, claim in machine.items()} if names.settled else machine
    page = _Page(article, found, names, machine, {id_: claim for id_, claim in settled.items() if claim is not None})
    page.rejected = {id_ for id_, claim in settled.items() if claim is None}
    return page


def _close(page: _Page) -> Findings:
    gaps = tuple(gap for gap in page.found.unknown_names if key(gap.name) not in page.names.settled)
    claims = tuple(sorted(page.claims.values(), key=lambda c: (c.trigger_start, c.trigger_end, c.type, c.claim_id)))
    if set(page.claims) == set(page.machine):
        claims = tuple(page.claims[id_] for id_ in page.machine)
    relevant = page.found.relevant or bool(page.marks)
    return replace(page.found, claims=claims, unknown_names=gaps, relevant=relevant)


def _decide(page: _Page, decisions: Iterable[Decision], known: Callable[[str], bool], former: Former) -> None:
    """Apply the decisions on one article, earliest first; the last one on a claim takes effect."""
    hits: dict[str, list[tuple[Decision, tuple[int, int], Claim | None]]] = defaultdict(list)
    for decision in decisions:
        sentence = decision.sentences[0]
        span = locate(page.article.text, sentence.quote, sentence.nth) or locate(page.article.text, sentence.quote)
        if span is None:
            page.effects.append(_gone(decision, page.article, former))
            continue
        claim, n = claim_in(sentence, span, page.claims.values())
        id_ = claim.claim_id if claim else sentence.claim_id or _id(page.article, span, decision)
        if claim is None and (words := _why_not(page, decision, n, id_, known)):
            page.effects.append(Effect(decision, WAITING, words))
            continue
        hits[id_].append((decision, span, claim))
    for id_, some in hits.items():
        *earlier, (decision, span, claim) = some
        page.effects += [
            Effect(old, REPLACED, f"the decision of {decision.day} on this claim replaces it", (id_,))
            for old, _, _ in earlier
        ]
        page.effects.append(_apply(page, decision, span, claim, id_))


def _why_not(page: _Page, decision: Decision, n: int, id_: str, known: Callable[[str], bool]) -> str:
    """Return why a decision cannot apply though its sentence is there but has no such claim; "" if it can."""
    sentence = decision.sentences[0]
    if n > 1:
        return f"this sentence has {n} claims: give the trigger and type of one"
    if id_ in page.rejected:
        return "an editor decided that the only party of this claim is not a name"
    if known(id_):
        return f"claim {id_} is in another sentence: correct the id or remove it"
    fields = {**decision.read, **decision.changes}
    if decision.action != "reject" and not (fields.get("type") and fields.get("modality") and sentence.trigger):
        return "the program finds no such claim in this sentence; add it with its type, modality, trigger and parties"
    if decision.action != "reject" and sentence.trigger not in sentence.quote:
        return f"the trigger '{sentence.trigger}' is not in the sentence"
    return ""


def _apply(page: _Page, decision: Decision, span: tuple[int, int], claim: Claim | None, id_: str) -> Effect:
    machine = fields_of(page.machine[id_]) if id_ in page.machine else {}
    if decision.action == "reject":
        page.claims.pop(id_, None)
        page.rejected.add(id_)
        said = "removed" if claim else "the program no longer finds this claim"
        return Effect(decision, APPLIED, said, (id_,), machine)
    fields = {**(complete(decision.read) if decision.read else {}), **decision.changes}
    base = claim or _new(page.article, span, decision, id_)
    spot = Spot(base.evidence.quote, base.evidence.start, day_of(page.article))

    def find(role: str, name: str, words: str):
        return page.names.party(role, name, words, spot, page.found.entities)

    made = replace(with_fields(base, fields, find), confidence=1.0)
    page.claims[id_] = made
    page.marks[id_] = MARKS[decision.action]
    changed = differences(fields_of(claim), fields_of(made)) if claim else ()
    said = "; ".join(f"{name}: {before} → {after}" for name, before, after in changed)
    if claim is None and decision.action != "add":
        said = "the program no longer finds this claim: it is kept as the editor saw it"
    elif claim is not None and decision.action == "add" and not said:
        said = "the program now finds this claim too"
    return Effect(decision, APPLIED, said, (id_,), machine, changed)


def _id(article: Article, span: tuple[int, int], decision: Decision) -> str:
    quote = article.text[slice(*span)]
    type_ = str(decision.changes.get("type") if decision.action == "add" else decision.read.get("type", ""))
    nth = article.text.count(quote, 0, span[0]) + 1
    return claim_id(article.article_id, quote, nth, type_, decision.sentences[0].trigger, 1)


def _new(article: Article, span: tuple[int, int], decision: Decision, id_: str) -> Claim:
    """Return a claim for a sentence without one, before its fields are set."""
    trigger = decision.sentences[0].trigger
    quote = article.text[slice(*span)]
    start = span[0] + max(quote.find(trigger), 0)
    return Claim(
        id_, str(decision.changes.get("type") or decision.read.get("type")), Modality.CONSIDERED,
        Evidence(article.article_id, article.version, *span, quote), start, start + len(trigger), trigger, (),
        Attribution(), None, None, Force.NOT_STATED, "new", 1.0, RULE,
    )  # fmt: skip


def _gone(decision: Decision, article: Article, former: Former) -> Effect:
    """Handle a sentence missing from the article: reopened if an earlier version had it, else waiting."""
    quote = decision.sentences[0].quote
    if not any(locate(text, quote) for text in former(article.article_id)):
        return Effect(decision, WAITING, f"these words are not in {article.url}")
    wording = nearest(article.text, quote)
    said = "the article was edited: the sentence now reads differently" if wording else "the article no longer has it"
    return Effect(decision, REOPENED, said, new_wording=wording)


def _elsewhere(decision: Decision) -> Effect:
    return Effect(decision, WAITING, f"the ledger has no article {decision.sentences[0].article}")


def _found(sentence: Sentence, pages: Mapping[str, _Page], former: Former) -> Found:
    """Return the claim of a sentence after the decisions on claims, or why there is none."""
    page = pages.get(sentence.article_id)
    if page is None:
        return Found(None, WAITING, f"the ledger has no article {sentence.article}")
    span = locate(page.article.text, sentence.quote, sentence.nth) or locate(page.article.text, sentence.quote)
    if span is None:
        if any(locate(text, sentence.quote) for text in former(sentence.article_id)):
            wording = nearest(page.article.text, sentence.quote)
            return Found(None, REOPENED, f"a sentence of {page.article.url} was edited", wording)
        return Found(None, WAITING, f"these words are not in {page.article.url}")
    claim, n = claim_in(sentence, span, page.claims.values())
    if claim is None:
        said = "one of its sentences has no claim" if n < 2 else f"one of its sentences has {n} claims"
        return Found(None, WAITING, said)
    return Found(claim.claim_id)
