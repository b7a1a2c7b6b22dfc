"""Measures the articles per second of the pipeline's stages, as medians of several runs with their range."""

from __future__ import annotations

import os
import platform
import resource
import sys
import tempfile
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pipeline.evaluation.benchmarks.inputs import texts
from pipeline.evaluation.benchmarks.rates import Rate, Runs, against
from scrapers.items import Source, SourceType

LIBRARIES = tuple(
    [
        "scrapy",
        "aiohttp",
        "spacy",
        "onnxruntime",
        "tokenizers",
        "trafilatura",
        "lxml",
        "selectolax",
        "ahocorasick-rs",
        "numpy",
    ]
)


def measure(what: tuple[str, ...], runs: int, quick: bool, say: Callable[[str], None]) -> dict[str, Any]:
    """Measure the named stages; return the machine, library versions, data hash, rates and peak memory."""
    rates: list[Rate] = []
    for name in what:
        say(f"measuring {name}")
        rates += MEASURES[name](runs, quick)
    usage = [resource.getrusage(who).ru_maxrss / 1024 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return {
        "machine": machine(),
        "data_hash": texts.data_hash(),
        "characters": texts.mean_lengths(),
        "rates": rates,
        "peak_memory_mb": {"this process": round(usage[0]), "largest worker": round(usage[1])},
    }


def machine() -> dict[str, Any]:
    """Return what the figures depend on: processor, available cores, load, Python and libraries."""
    return {
        "cpu": _cpu_model(),
        "cores": len(os.sched_getaffinity(0)),
        "load": round(os.getloadavg()[0], 2),
        "system": f"{platform.system()} {platform.machine()}",
        "python": sys.version.split()[0],
        "libraries": {name: version(name) for name in LIBRARIES},
    }


def _relevance(runs: int, quick: bool) -> list[Rate]:
    from pipeline.nlp.relevance.score import judge_relevance

    n = 100 if quick else 1_000
    other, ours = Runs(n), Runs(n // 5)
    judge_relevance("", "")  # the first call builds the tables
    for edition in range(runs):
        for times, made in ((other, texts.irrelevant_articles(n, edition)), (ours, texts.relevant_articles(n // 5))):
            with times.timed():
                passed = sum(judge_relevance(article.title, article.text).relevant for article in made)
            if times is other:
                through = passed
    return [
        other.rate("relevance, irrelevant articles", f"{through} of {n} accepted"),
        ours.rate("relevance, relevant"),
    ]


def _read(runs: int, quick: bool) -> list[Rate]:
    import trafilatura

    from scrapers.reading.article import read_page

    n = 10 if quick else 100
    own, peer = Runs(n), Runs(n)
    read_page(texts.pages(1)[0], None)
    trafilatura.extract(texts.pages(1)[0].body)
    for edition in range(runs):
        made = texts.pages(n, edition)
        with own.timed():
            for page in made:
                read_page(page, None)
        with peer.timed():
            for page in made:
                trafilatura.extract(page.body)
    theirs = peer.rate("trafilatura alone, same pages")
    return [against(own.rate("reading pages"), theirs), theirs]


def _extract(runs: int, quick: bool) -> list[Rate]:
    from pipeline.evaluation.benchmarks.stages import STAGES, staged
    from pipeline.nlp.pipeline import extract, load
    from pipeline.nlp.pool import extract_all, reader_count

    n, readers = (3 if quick else 12), reader_count()
    nlp = load()
    peer = _spacy_alone()
    whole, parts, theirs, pooled = Runs(n), {name: Runs(n) for name in STAGES}, Runs(n), Runs(n * readers)
    extract(texts.relevant_articles(1)[0], nlp)
    for edition in range(1, runs + 1):
        made = texts.relevant_articles(n, edition)
        with theirs.timed():
            for article in made:
                peer(article.text)
        with whole.timed():
            for article in made:
                extract(article, nlp)
        spent = dict.fromkeys(STAGES, 0.0)
        for article in made:
            staged(article, nlp, spent)
        for name, seconds in spent.items():
            parts[name].wall.append(seconds)
            parts[name].cpu.append(seconds)
    alone = theirs.rate("spaCy's small model alone, same texts")
    found = [against(whole.rate("whole extraction, one process"), alone), alone]
    found += [times.rate(f"  {name}") for name, times in parts.items()]
    if readers > 1 and not quick:
        for edition in range(runs):
            made = texts.relevant_articles(pooled.n, 100 + edition)
            with pooled.timed():
                sum(len(each.claims) for each in extract_all(made, readers=readers))
        found.append(pooled.rate(f"whole extraction, {readers} processes", "including their start"))
    return found


def _build(runs: int, quick: bool) -> list[Rate]:
    from pipeline.ledger.article_store import Library
    from pipeline.ledger.build.build import build
    from pipeline.lexicon.load import load_lexicon
    from pipeline.nlp.pipeline import extract, load

    n = 6 if quick else 60
    nlp, lexicon, times = load(), load_lexicon(), Runs(n)
    with tempfile.TemporaryDirectory() as name:
        with Library(Path(name) / "crawl.db") as library:
            for article in texts.relevant_articles(n):
                library.save(article, extract(article, nlp), "bench")
        for run in range(runs):
            with times.timed():
                report = build(Path(name) / "crawl.db", Path(name) / f"{run}.db", [_SOURCE], lexicon=lexicon)
    return [times.rate("building the ledger", f"{report.n_claims} claims, {report.n_events} events")]


def _crawl(runs: int, quick: bool) -> list[Rate]:
    from pipeline.evaluation.benchmarks.crawl import measure_crawl

    return measure_crawl(200 if quick else 2_000, runs)


MEASURES: dict[str, Callable[[int, bool], list[Rate]]] = {
    "relevance": _relevance,
    "read": _read,
    "extract": _extract,
    "build": _build,
    "crawl": _crawl,
}


def _spacy_alone() -> Callable[[str], Any]:
    """Return spaCy's small English model with its default components."""
    import spacy

    from pipeline.nlp.parsing.parser import MODELS

    return spacy.load(next(name for name in MODELS if spacy.util.is_package(name)))


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return platform.processor() or "unknown"
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "unknown")


def _source() -> Source:
    return Source(
        source_id="bench",
        title="Bench",
        homepage="https://bench.example/",
        source_type=SourceType.PRESS,
        jurisdiction="INT",
        language="en",
        family="",
        feeds=(),
        hosts=("bench.example",),
    )


_SOURCE = _source()
