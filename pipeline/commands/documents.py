"""The commands `add` and `claims`."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipeline.commands.common import lexicon_of, need_contact, plain_errors, settings_of, sources_of
from pipeline.commands.inputs import day_of, need_file, read_document, read_documents, text_in
from pipeline.commands.output import Progress, json_option, say_json
from pipeline.errors import OutsideFailure, WrongUse
from pipeline.site.text.formatting import count_words
from pipeline.workspace import DataFolder
from scrapers.items import Article, Feed, FeedEntry, FeedShape, Page, Source, SourceType

if TYPE_CHECKING:
    from pipeline.settings import Settings


@click.command()
@click.argument("what")
@click.option("--title", default="", help="Title, if the file has none.")
@click.option("--published", default="", help="Publication date (2026-05-08), if the file has none.")
@click.option("--url", default="", help="Web address of the original, if the file has none.")
@json_option
@click.pass_obj
def add(folder: DataFolder, what: str, title: str, published: str, url: str, as_json: bool) -> None:
    """Add one article: WHAT is a file (.json with "text", .html, .txt) or an http(s) address."""
    from pipeline.app.steps import add_article

    with folder.lock(), plain_errors():
        settings = settings_of(folder)
        if what.startswith(("http://", "https://")):
            need_contact(folder, settings)
            article = _fetched(folder, what, settings)
        else:
            article = _from_file(folder, need_file(what), title, published, url)
        findings = add_article(folder, article, lexicon_of(settings))
    if as_json:
        say_json(
            {
                "article_id": article.article_id,
                "version": article.version,
                "relevant": findings.relevant,
                "claims": len(findings.claims),
            }
        )
        return
    about = count_words(len(findings.claims), "claim") if findings.relevant else "not about the oversight of AI"
    click.echo(f"Added “{article.title or article.url}” as {article.article_id}: {about}.")
    click.echo("Run `oversight build` and `oversight publish` to see it on the site.")


def _from_file(folder: DataFolder, path: Path, title: str, published: str, url: str) -> Article:
    from dataclasses import replace

    from scrapers.reading.canonical_url import tidy_address
    from scrapers.reading.plain_text import plain_text

    if url and not tidy_address(url):
        raise WrongUse(f"--url: {url!r} is not a web address. Write it like https://courier.example/2026/05/story.")
    if path.suffix.lower() in {".html", ".htm"}:
        article = _read_html(folder, path, url)
        return replace(article, title=title or article.title)
    document = read_document(path) if path.suffix.lower() == ".json" else {"text": text_in(path)}
    document = {**document, **{k: v for k, v in (("title", title), ("published", published), ("url", url)) if v}}
    article = plain_text(
        document["text"],
        name=str(document.get("id") or path.stem),
        title=str(document.get("title") or ""),
        published=day_of(path, document),
        url=str(document.get("url") or ""),
        publisher=str(document.get("site") or ""),
    ).article
    if not article.text:
        raise WrongUse(f"{path}: the file contains no text.")
    return article


def _read_html(folder: DataFolder, path: Path, url: str) -> Article:
    import hashlib

    body = path.read_bytes()
    address = url or f"https://files.invalid/{path.name}"
    page = Page(
        url=address,
        final_url=address,
        source_id="added",
        fetched_at=datetime.now(UTC),
        status=200,
        media_type="text/html",
        charset="",
        headers=(),
        body=body,
        sha256=hashlib.sha256(body).hexdigest(),
    )
    return _article_on(folder, page, str(path))


def _article_on(folder: DataFolder, page: Page, name: str) -> Article:
    """Archive a page and return the article on it; raise WrongUse if there is none."""
    from pipeline.app.page_reader import read_one
    from scrapers.archive.store import Archive

    reading = read_one(page)
    if reading.article is None:
        raise WrongUse(f"{name}: no article found ({reading.outcome.value}: {reading.detail}).")
    archive = Archive(folder.archive, folder.crawl_db)
    archive.add(page)
    archive.close()
    return reading.article


def _fetched(folder: DataFolder, url: str, settings: Settings) -> Article:
    """Fetch one address through the crawler, respecting robots.txt and rate limits."""
    from contextlib import closing
    from dataclasses import replace
    from urllib.parse import urlsplit

    from scrapers.archive.store import Archive
    from scrapers.crawling.crawl import CrawlConfig, crawl
    from scrapers.crawling.frontier import Frontier

    host = urlsplit(url).hostname or ""
    card = next((s for s in sources_of(settings) if host in s.hosts), None)
    source = card or Source(
        source_id="added",
        title=host,
        homepage=f"https://{host}/",
        source_type=SourceType.PRESS,
        jurisdiction="INT",
        language="en",
        family="",
        feeds=(),
        hosts=(host,),
    )
    kept: list[Page] = []
    wanted = Feed(url=url, shape=FeedShape.LISTING, pass_all=True)
    with closing(Frontier(folder.crawl_db)) as frontier:
        archive = Archive(folder.archive, folder.crawl_db)
        frontier.add_entries(source, wanted, [FeedEntry(url=url)], datetime.now(UTC))
        config = CrawlConfig(contact=settings.contact, max_pages=1)
        crawl([replace(source, feeds=())], frontier, archive, config=config, sink=kept.append)
        kept += [archive.read(ref) for ref in archive.pages() if ref.url == url and not kept]
        last = [visit for visit in frontier.visits(source.source_id) if visit.url == url][-1:]
        ended = f"{last[0].outcome.value}: {last[0].detail}" if last else "the host asked us to wait: try again later"
        archive.close()
    if not kept:
        raise OutsideFailure(f"{url}: could not be fetched ({ended}).")
    return _article_on(folder, kept[-1], url)


@click.command()
@click.argument("texts", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--out", required=True, type=click.Path(file_okay=False, path_type=Path), help="Output folder for ID.json files."
)
@click.option("--sure", is_flag=True, help="Leave out claims that would wait for review.")
@click.option(
    "--folds",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of weights by fold; each document is read with weights that have not seen it.",
)
@click.pass_obj
def claims(folder: DataFolder, texts: Path, out: Path, sure: bool, folds: Path | None) -> None:
    """Extract the claims from every ID.json in the folder TEXTS (keys: id, title, published, text)."""
    settings = settings_of(folder)
    read_into(texts, out, lexicon_of(settings), settings.least_confidence if sure else 0.0, folds)


def read_into(
    texts: Path,
    out: Path,
    lexicon: tuple[Path, ...],
    least: float,
    folds: Path | None,
    only: set[str] | None = None,
    *,
    temporary: bool = False,
) -> None:
    """Extract the claims of a folder of documents into another folder.

    Args:
        texts: The folder of ID.json files.
        out: The folder to write.
        lexicon: Additional lexicon files.
        least: Claims below this confidence are left out.
        folds: A folder of weights by fold, None for the shipped weights.
        only: Ids of the documents to read, None for all.
        temporary: Whether `out` is deleted afterwards, so that nobody need know its name.
    """
    from pipeline.evaluation.documents import read_folder

    paths = sorted(texts.glob("*.json"))
    if not paths:
        raise WrongUse(f"{texts}: the folder contains no .json file.")
    paths = [path for path in paths if only is None or path.stem in only]
    documents = read_documents(paths)
    if out.resolve() == texts.resolve():
        raise WrongUse(f"{out}: --out is the folder of the documents and would be overwritten. Choose another folder.")
    out.mkdir(parents=True, exist_ok=True)
    progress = Progress()
    found = 0
    with plain_errors():
        for result in read_folder(documents, lexicon, progress, folds=folds, least_confidence=least):
            (out / f"{result['id']}.json").write_text(json.dumps(result, ensure_ascii=False, indent=1) + "\n")
            found += len(result["claims"])
    where = "" if temporary else f" into {out}"
    progress.done(f"Extracted {count_words(found, 'claim')} from {count_words(len(documents), 'document')}{where}.")
