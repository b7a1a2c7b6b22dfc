"""Extracts an article as `pipeline.nlp.pipeline` does, timing each stage."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from pipeline.nlp.assemble import assemble
from pipeline.nlp.attribution import Speakers
from pipeline.nlp.credits import find_credits
from pipeline.nlp.entities.coreference import Referents
from pipeline.nlp.entities.mentions import unknown_names
from pipeline.nlp.events.frames import ClaimReader
from pipeline.nlp.events.fusion import fuse_drafts
from pipeline.nlp.parsing.paragraphs import BODY, find_paragraphs
from pipeline.nlp.pipeline import Tools, author_of
from pipeline.nlp.relevance.score import judge_relevance
from pipeline.records import Claim
from scrapers.items import Article

STAGES = ("relevance", "names", "parse", "references", "frames", "classifier", "confidence", "attribution, dates, ids")


def staged(article: Article, tools: Tools, spent: dict[str, float]) -> tuple[Claim, ...]:
    """Extract an article, adding the CPU seconds of each of STAGES to `spent`; return the claims."""

    @contextmanager
    def clock(name: str) -> Iterator[None]:
        before = time.process_time()
        yield
        spent[name] += time.process_time() - before

    day = article.published_at.date() if article.published_at else None
    with clock("relevance"):
        judge_relevance(article.title, article.text)
    with clock("names"):
        body = [(p.start, p.end) for p in find_paragraphs(article.text) if p.kind == BODY]
        mentions = tools.names.find(article.text, day)
    with clock("parse"):
        passages = list(tools.language.parse(article.text, body, mentions))
    with clock("references"):
        author = author_of(article, tools, day)
        referents = Referents(passages, unknown_names(passages, tools.lexicon), tools.lexicon, day, author)
    with clock("frames"):
        reader = ClaimReader(tools.event_types, referents)
        drafts = [draft for passage in passages for draft in reader.read(passage)]
    with clock("classifier"):
        drafts = fuse_drafts(drafts, passages, reader.roles, tools.event_types, tools.classifier, tools.thresholds)
    with clock("confidence"):
        drafts = tools.calibrator.calibrate(drafts) if tools.calibrator is not None else drafts
    with clock("attribution, dates, ids"):
        speakers = Speakers(passages, referents, author, article.publisher)
        claims, _, _ = assemble(article, drafts, speakers, tools.lexicon, day)
        find_credits(article, mentions)
    return claims
