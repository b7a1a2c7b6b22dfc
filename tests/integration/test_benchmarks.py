"""`oversight bench`: every stage has a rate, the timed stages equal extraction, wrong arguments exit with code 2."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from support.nlp_tools import load_once

from pipeline.commands.bench import bench
from pipeline.errors import WrongUse
from pipeline.evaluation.benchmarks.crawl import STOCK, STOCK_SAVING
from pipeline.evaluation.benchmarks.inputs.texts import data_hash, irrelevant_articles, pages, relevant_articles
from pipeline.evaluation.benchmarks.site import combinations_of
from pipeline.evaluation.benchmarks.stages import STAGES, staged
from pipeline.nlp.pipeline import extract
from pipeline.nlp.relevance.score import judge_relevance


def test_every_stage_has_a_plausible_rate() -> None:
    result = CliRunner().invoke(bench, ["--quick", "--runs", "1", "--json"], catch_exceptions=False)
    assert result.exit_code == 0
    report = json.loads(result.stdout)
    names = {rate["stage"].strip() for rate in report["rates"]}
    assert {"relevance, irrelevant articles", "reading pages", "whole extraction, one process", *STAGES} <= names
    assert "building the ledger" in names
    for rate in report["rates"]:
        assert rate["per_second"] > 0 and rate["per_cpu_second"] > 0 and rate["n"] > 0 and rate["runs"] == 1
        assert rate["least"] <= rate["per_cpu_second"] <= rate["most"]
    assert report["machine"]["cores"] >= 1 and report["machine"]["libraries"]["spacy"]
    assert len(report["data_hash"]) == 16 and 50 < report["peak_memory_mb"]["this process"] < 4_000


def test_crawling_is_compared_with_stock_scrapy_over_the_same_pages() -> None:
    result = CliRunner().invoke(bench, ["crawl", "--quick", "--runs", "1", "--json"], catch_exceptions=False)
    rates = {rate["stage"]: rate for rate in json.loads(result.stdout)["rates"]}
    assert set(rates) == {"fetch and archive", STOCK, STOCK_SAVING}
    assert all(rate["n"] == 200 and rate["per_cpu_second"] > 0 for rate in rates.values())
    assert "times the rate of stock Scrapy" in rates["fetch and archive"]["note"]


def test_the_table_names_machine_and_data() -> None:
    result = CliRunner().invoke(bench, ["relevance", "--quick", "--runs", "2"], catch_exceptions=False)
    assert data_hash() in result.output and "medians of 2 runs" in result.output
    assert "relevance, irrelevant articles" in result.output and "Python 3" in result.output


def test_every_page_of_the_site_is_compared_with_stock_datasette(monkeypatch) -> None:
    monkeypatch.setattr("pipeline.evaluation.benchmarks.site.MOST_FILTERS", 1)
    args = ["site", "--events", "300", "--runs", "1", "--json"]
    result = CliRunner().invoke(bench, args, catch_exceptions=False)
    assert result.exit_code == 0
    pages = {row["page"]: row for row in json.loads(result.stdout)["pages"]}
    assert {"home", "event", "status", "search, common", "claims", "feed", "events, 1 filter"} <= set(pages)
    assert pages["events, 1 filter"]["n"] == 14
    for row in pages.values():
        assert 0 < row["ours"] <= row["slowest"] and row["late"] == 0, row
    assert pages["events"]["stock"] > 0 and pages["home"]["stock"] is None


def test_all_combinations_of_filters_are_timed() -> None:
    found = combinations_of()
    assert [len(found[n]) for n in (1, 2, 3)] == [14, 91, 364]
    assert len({path for paths in found.values() for path in paths}) == 469
    assert all("_words" not in path for paths in combinations_of(stock="/x/").values() for path in paths)


@pytest.mark.parametrize("words", [["gates"], ["relevance", "--runs", "0"], ["relevance", "nonsense"]])
def test_wrong_arguments_are_rejected(words: list[str]) -> None:
    result = CliRunner().invoke(bench, words)
    assert isinstance(result.exception, WrongUse) and result.exception.exit_code == 2


def test_the_timed_stages_find_what_extraction_finds() -> None:
    nlp = load_once(always=False)
    for article in relevant_articles(2, edition=3):
        spent = dict.fromkeys(STAGES, 0.0)
        assert staged(article, nlp, spent) == extract(article, nlp).claims != ()
        assert all(seconds > 0 for seconds in spent.values())


def test_generated_texts_are_different_and_have_the_right_relevance() -> None:
    ours, other = relevant_articles(60, 1), irrelevant_articles(60, 1)
    assert len({article.text for article in [*ours, *relevant_articles(60, 2), *other]}) == 180
    assert sum(judge_relevance(a.title, a.text).relevant for a in ours) > 50
    assert sum(judge_relevance(a.title, a.text).relevant for a in other) < 5
    assert 3_000 < sum(len(a.text) for a in other) / 60 < 4_500
    assert len({page.sha256 for page in pages(30)}) == 30
    assert [a.text for a in relevant_articles(5, 1)] == [a.text for a in ours[:5]]


def test_an_incremental_build_equals_a_full_one(tmp_path: Path) -> None:
    from pipeline.evaluation.benchmarks.linear import measure_linear

    (size,) = measure_linear((1_000,), 0.1, lambda words: None, tmp_path)
    assert (size.n_articles, size.same) == (1_000, True)
    assert size.n_claims > size.n_events > 10 and size.full > 0 and size.incremental > 0
    assert size.baseline > 0 and size.relative_cost == size.ms_per_article / size.baseline
