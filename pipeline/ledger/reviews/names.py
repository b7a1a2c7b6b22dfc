"""Applies the editors' answers on unknown names to the lexicon and to claims."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from pipeline.ledger.reviews.decisions import APPLIED, REPLACED, WAITING, Decision, Effect
from pipeline.lexicon.entities import Lexicon, Name
from pipeline.records import Claim, Entity, EntityKind, Findings, Participant, unknown_entity_id
from scrapers.items import Article

_GUESS = {"object": EntityKind.MODEL, "instrument": EntityKind.INSTRUMENT, "body": EntityKind.AGENCY}


def key(name: str) -> str:
    """Normalise a name: case folded, single blanks."""
    return " ".join(name.casefold().split())


def slug(name: str) -> str:
    """Return an id for a name: "Heron-XL" gives "heron-xl"; "" without Latin letters or digits."""
    return "-".join(re.findall(r"[a-z0-9]+", name.casefold()))


@dataclass(frozen=True, slots=True)
class Names:
    """The lexicon with the editors' answers. `settled`: name -> entity, None if it is not a name."""

    lexicon: Lexicon | None
    settled: Mapping[str, Entity | None]
    effects: tuple[Effect, ...] = ()

    def settle(self, claim: Claim) -> Claim | None:
        """Return the claim with settled parties; None if its only party is not a name."""
        parties = [p for old in claim.participants if (p := self._settled(old)) is not None]
        if claim.participants and not parties:
            return None
        unique = {(p.role, p.entity_id): p for p in reversed(parties)}
        parties = [p for p in parties if unique[p.role, p.entity_id] is p]
        return claim if tuple(parties) == claim.participants else replace(claim, participants=tuple(parties))

    def _settled(self, party: Participant) -> Participant | None:
        if not party.entity_id.startswith("x-") or key(party.name) not in self.settled:
            return party
        entity = self.settled[key(party.name)]
        if entity is None:
            return None
        return replace(party, entity_id=entity.entity_id, name=entity.name, kind=entity.kind)

    def known(self, name: str) -> tuple[Entity, ...]:
        """Return the entities of the lexicon for a name or id: the one with this id or main name, else all."""
        answer = self.settled.get(key(name))
        if answer is not None:
            return (answer,)
        if self.lexicon is None:
            return ()
        if name in self.lexicon.entities:
            return (self.lexicon.entities[name],)
        ids = sorted({n.entity_id for n in self.lexicon.named(name) if n.kind != "nominal"})
        own = [id_ for id_ in ids if key(self.lexicon.entities[id_].name) == key(name)]
        return tuple(self.lexicon.entities[id_] for id_ in own[:1] or ids)

    def party(self, role: str, name: str, words: str, sentence: Spot, near: Iterable[Entity]) -> Participant | None:
        """Return the party that an editor named: of the article, of the lexicon, or an unknown name.

        None if an editor decided that it is not a name; a claim may have been confirmed before that.
        """
        if key(name) in self.settled and self.settled[key(name)] is None:
            return None
        entity = self.settled.get(key(name)) or next(
            (e for e in near if key(e.name) == key(name) or e.entity_id == name), None
        )
        entity = entity or next(iter(self.known(name)), None)
        if entity is None:
            kind = _GUESS.get(role, EntityKind.ORGANISATION) if name[:1] != name[:1].lower() else EntityKind.GROUP
            entity = Entity(unknown_entity_id(name, kind.value), name, kind, known=False)
        shown = entity.name
        if self.lexicon is not None and entity.entity_id in self.lexicon.entities:
            shown = self.lexicon.name_at(entity.entity_id, sentence.day)
        said, start = sentence.find(words or name), -1
        if said is None and not words:
            said = sentence.find(entity.name)
        text = ""
        if said is not None:
            start, text = said
        return Participant(role, entity.entity_id, shown, entity.kind, text, start, start + len(text) if text else -1)


@dataclass(frozen=True, slots=True)
class Spot:
    """The sentence in which an editor's parties are looked up: text, offset, day of the article."""

    text: str
    start: int
    day: date | None

    def find(self, words: str) -> tuple[int, str] | None:
        """Return offset and exact form of some words of the sentence, None if not found."""
        pieces = words.split()
        if not pieces:
            return None
        pattern = r"\s+".join(map(re.escape, pieces))
        match = re.search(rf"(?<!\w){pattern}(?!\w)", self.text, re.IGNORECASE)
        return (self.start + match.start(), match.group()) if match else None


def settle_names(lexicon: Lexicon | None, decisions: Iterable[Decision]) -> Names:
    """Return the lexicon with the editors' answers; the last answer on a name takes effect."""
    answers = sorted((d for d in decisions if d.action == "gap"), key=lambda d: d.order)
    last = {key(d.name): d for d in answers}
    entities: dict[str, Entity] = dict(lexicon.entities) if lexicon else {}
    settled: dict[str, Entity | None] = {}
    names: list[Name] = []
    effects: list[Effect] = []
    # New names first: another answer may be an alias of one of them, at any position in the file.
    for decision in sorted(answers, key=lambda d: (not d.kind, d.order)):
        later = last[key(decision.name)]
        if later is not decision:
            effects.append(Effect(decision, REPLACED, f"the decision of {later.day} on this name replaces it"))
            continue
        if decision.kind:
            entity = entities.get(decision.entity) or _new(decision)
            entities[entity.entity_id] = settled[key(decision.name)] = entity
            kind = "canonical" if entity.name == decision.name else "alias"
            names.append(Name(decision.name, entity.entity_id, kind, case_sensitive=True))
        elif decision.entity:
            known = entities.get(decision.entity)
            if known is None:
                words = f"there is no entity '{decision.entity}' in the lexicon or among the new names of this file"
                effects.append(Effect(decision, WAITING, words))
                continue
            settled[key(decision.name)] = known
            names.append(Name(decision.name, known.entity_id, "alias", case_sensitive=True))
        else:
            settled[key(decision.name)] = None
        effects.append(Effect(decision, APPLIED, ""))
    if lexicon is not None and names:
        have = {(n.text, n.entity_id) for n in lexicon.names}
        fresh = tuple(n for n in names if (n.text, n.entity_id) not in have)
        lexicon = replace(lexicon, entities=entities, names=(*lexicon.names, *fresh))
    return Names(lexicon, settled, tuple(effects))


def _new(decision: Decision) -> Entity:
    more = decision.more
    return Entity(
        decision.entity, decision.name, EntityKind(decision.kind), jurisdiction=more.get("jurisdiction", ""),
        parent_id=more.get("parent", ""), wikidata_id=more.get("wikidata", ""), description=more.get("description", ""),
    )  # fmt: skip


def carried_names(findings: Iterable[Findings]) -> dict[str, list[str]]:
    """Return the claim ids by unknown party name, normalised by key()."""
    ids: dict[str, list[str]] = {}
    for found in findings:
        for claim in found.claims:
            for name in unknown_parties(claim):
                ids.setdefault(name, []).append(claim.claim_id)
    return ids


def unknown_parties(claim: Claim) -> set[str]:
    """Return the unknown names of a claim's parties, normalised by key()."""
    return {key(p.name) for p in claim.participants if p.entity_id.startswith("x-")}


def with_counts(names: Names, carried: Callable[[str], Sequence[str]]) -> tuple[Effect, ...]:
    """Return the effects of the answers with the number of claims of each; one without claims is waiting.

    `carried`: name, normalised by key() -> ids of its claims.
    """
    counted = []
    for effect in names.effects:
        decision = effect.decision
        ids = carried(key(decision.name))
        n = len(ids)
        if effect.status is not APPLIED:
            counted.append(effect)
        elif not n:
            counted.append(replace(effect, status=WAITING, detail="no claim has this unknown name as a party"))
        else:
            claims = "1 claim" if n == 1 else f"{n} claims"
            said = f"the name of a party in {claims}" if decision.entity else f"removed as a party of {claims}"
            counted.append(replace(effect, detail=said, claim_ids=tuple(sorted(ids))))
    return tuple(counted)


def day_of(article: Article) -> date | None:
    """Return the publication day of an article."""
    return article.published_at.date() if article.published_at else None
