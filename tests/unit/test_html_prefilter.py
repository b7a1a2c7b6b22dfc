"""The HTML prefilter passes every page whose article is relevant, and rejects most others."""

from __future__ import annotations

import gzip
import hashlib
import html
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from pipeline.evaluation.benchmarks.inputs.archive import make_archive
from pipeline.evaluation.benchmarks.inputs.texts import _story_sentences, irrelevant_articles, relevant_articles
from pipeline.newsroom.pages import article_page
from pipeline.newsroom.stories import stories
from pipeline.nlp.relevance.html_prefilter import may_pass, text_may_pass
from pipeline.nlp.relevance.score import judge_relevance
from scrapers.items import Page
from scrapers.reading.article import PageDraft, draft, finish
from scrapers.reading.page_words import page_words, plain_words

NAV = "".join(f"<li><a href='/{name}'>{name}</a></li>" for name in ("Home", "Tech", "Politics", "Sport", "Cars"))
ADVERT = "<div class='ad'><p>Subscribe to our newsletter for the best deals of the season.</p></div>"


def page(body: bytes, charset: str = "") -> Page:
    address = "https://a.example/2026/05/04/story"
    sha256 = hashlib.sha256(body).hexdigest()
    return Page(address, address, "a", datetime(2026, 6, 1, tzinfo=UTC), 200, "text/html", charset, (), body, sha256)


def plain(title: str, text: str) -> str:
    body = "".join(f"<p>{html.escape(part)}</p>" for part in text.split("\n\n"))
    return (
        f"<html><head><title>{html.escape(title)}</title></head><body><h1>{html.escape(title)}</h1>{body}</body></html>"
    )


def busy(title: str, text: str) -> str:
    """A page as they are: scripts with markup in them, menus, adverts between the paragraphs, words in elements."""
    parts = []
    for number, part in enumerate(text.split("\n\n")):
        words = html.escape(part).split(" ")
        for at in range(number % 3, len(words), 7):
            words[at] = f'<a href="/x?a=1&amp;b=2" title="a &gt; b">{words[at]}</a>'
        for at in range(1, len(words), 11):
            words[at] = f"<strong>{words[at]}</strong>"
        parts.append('<p class="body">\n  ' + "\n ".join(words) + "\n</p>" + (ADVERT if number % 3 == 2 else ""))
    parts = ["<!-- <script> never closed -->", *parts]
    script = "<SCRIPT>if (a<b) document.write('<p>x</p>'); var x = '<style>';</SCRIPT><style>p>a{color:red}</style>"
    return (
        f"<!doctype html><html><head>{script}<meta property='og:title' content='{html.escape(title, quote=True)}'>"
        f"</head><body><nav><ul>{NAV}</ul></nav><main><article><h1>{html.escape(title)}</h1>{script}{''.join(parts)}"
        f"</article></main><footer>{NAV}</footer></body></html>"
    )


def linked(title: str, text: str) -> str:
    """A page whose text stands in its JSON-LD alone."""
    data = {"@type": "NewsArticle", "headline": title, "articleBody": text}
    return (
        f"<html><head><title>a</title><script type='application/ld+json'>{json.dumps(data)}</script></head>"
        "<body><p>Subscribe to read on.</p></body></html>"
    )


LAYOUTS = {"plain": plain, "busy": busy, "linked": linked}


def lost(body: bytes, charset: str = "") -> str:
    """Return why the prefilter loses a relevant page, by its bytes or by its body; "" where it does not."""
    found = draft(page(body, charset), None)
    article = finish(found).article if isinstance(found, PageDraft) else None
    if article is None or not (judged := judge_relevance(article.title, article.text)).relevant:
        return ""
    passes = may_pass(body, charset), text_may_pass(found.text)
    return "" if all(passes) else f"{article.title}: {judged.score}, {passes}"


def test_no_page_of_the_newsroom_is_lost() -> None:
    bodies = [(article_page(story), story.encoding) for story in stories()]
    assert [why for body, charset in bodies if (why := lost(body, charset))] == []
    assert sum(may_pass(*pair) for pair in bodies) > 40


@pytest.mark.parametrize("layout", LAYOUTS)
def test_no_training_story_is_lost_in_any_layout(layout: str) -> None:
    made = [(a.title, a.text) for a in relevant_articles(150, edition=3)]
    for about, sentences in _story_sentences().values():
        for many in (4, 12) if about else ():
            cut = [" ".join(sentences[at : at + 3]) for at in range(0, min(many, len(sentences)), 3)]
            made += [("", "\n\n".join(cut)), (sentences[0][:90], "\n\n".join(cut))]
    kept = [(title, text) for title, text in made if judge_relevance(title, text).relevant]
    assert len(kept) > 300
    assert [title for title, text in kept if not may_pass(LAYOUTS[layout](title, text).encode())] == []
    assert [title for title, text in kept if not text_may_pass(f"{title}\n\n{text}")] == []


@pytest.mark.parametrize("layout", LAYOUTS)
def test_nearly_all_borderline_stories_pass_in_any_layout(layout: str) -> None:
    told = [(sentences[0][:90], "\n\n".join(sentences)) for about, sentences in _story_sentences().values() if about]
    doubted = [(title, text) for title, text in told if judge_relevance(title, text).doubtful]
    assert len(doubted) > 20
    lost = [title for title, text in doubted if not may_pass(LAYOUTS[layout](title, text).encode())]
    lost += [title for title, text in doubted if not text_may_pass(f"{title}\n\n{text}")]
    assert len(lost) <= 0.05 * len(doubted), lost


@pytest.mark.parametrize("layout", LAYOUTS)
def test_no_annotated_document_is_lost_in_any_layout(shared: Path, layout: str) -> None:
    files = [*shared.glob("gold/dev/texts/*.json"), *shared.glob("seed/texts/*.json")]
    documents = [json.loads(file.read_text(encoding="utf-8")) for file in files]
    kept = [
        (d.get("title") or "", d["text"])
        for d in documents
        if judge_relevance(d.get("title") or "", d["text"]).relevant
    ]
    assert len(kept) > 30
    assert [title for title, text in kept if not may_pass(LAYOUTS[layout](title, text).encode())] == []


def test_no_real_page_is_lost_and_most_others_are_rejected(shared: Path) -> None:
    bodies = [gzip.decompress(file.read_bytes()) for file in sorted(shared.glob("pages/*/*.html.gz"))]
    assert len(bodies) > 40
    assert [why for body in bodies if (why := lost(body))] == []
    assert sum(map(may_pass, bodies)) < 0.25 * len(bodies)


def test_no_article_of_a_synthetic_archive_is_lost_and_no_other_page_is_relevant(tmp_path: Path) -> None:
    pages: list[tuple[str, bytes]] = []
    made = make_archive(tmp_path / "a.warc.gz", 60, 0.5, sample=pages)
    assert [why for _, body in pages if (why := lost(body))] == []
    assert {url for url, body in pages if may_pass(body)} == made.planted


def test_other_news_is_rejected() -> None:
    made = irrelevant_articles(200, edition=5)
    passed = sum(may_pass(busy(a.title, a.text).encode()) for a in made)
    assert passed < 0.1 * len(made)


ALARM = "The regulator ordered OpenAI to halt its AI model after an AI safety test. The court banned the chatbot."


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252", "iso2022_jp"])
def test_a_page_in_any_encoding_passes(encoding: str) -> None:
    assert may_pass(plain("Regulator halts AI model", ALARM).encode(encoding), encoding)


@pytest.mark.parametrize(
    "words",
    [
        ALARM.replace("AI", "<span>A</span>I").replace("OpenAI", "Open<wbr>AI"),
        ALARM.replace("regulator", "regu&shy;lator")
        .replace("chatbot", "chat\u00adbot")
        .replace("court", "co\u200burt"),
        ALARM.replace(" ", "&nbsp;").replace("AI", "&#65;&#73;"),
        f"a < b and {ALARM} c > d",
        f"<!-- > -->{ALARM}<!-- --!>",
        f"<script>x = '<!--';</script>{ALARM}<script>'-->';</script>",
        f"<style></STYLE>{ALARM}<style></style>",
        f"<!--><p>{ALARM}</p>",
        f"<Script src=x></sCript >{ALARM}",
        f"<script-like>{ALARM}</script-like>",
        f"<p title='<script>'>{ALARM}</p><script></script>",
        f"<p title='<!--'>{ALARM}</p><!-- -->",
        f"<p title='<style>'>{ALARM}</p>",
        f"<ul><li><a href=/ai>AI</a></ul><p><a href=/o>OpenAI</a> {ALARM}",
    ],
)
def test_words_are_found_whatever_the_markup(words: str) -> None:
    body = f"<html><body><article><p>{words}</p></article></body></html>".encode()
    shown = LexborHTMLParser(body.decode())
    assert "chat" in shown.body.text(), "a browser would not show it either"
    assert may_pass(body)


def test_menus_scripts_and_comments_are_not_text() -> None:
    hidden = f"<nav><ul><li><a href=/ai>AI</a></li><li><a href=/b>ban</a></li></ul></nav><script>{ALARM}</script>"
    body = (
        f"<html><body>{hidden}<!-- {ALARM} --><img alt='{ALARM}'><p>The team won the match.</p></body></html>".encode()
    )
    assert page_words(body).split() == b"the team won the match".split()
    assert not may_pass(body)


def test_cues_and_pages_are_tokenised_alike() -> None:
    assert plain_words("A.I.-generated, it’s “so”".encode()) == b" a i generated it s so "
    assert page_words(b"no markup: AI, act") == b" no markup ai act "


def test_long_json_ld_of_a_live_blog_is_cut_off() -> None:
    data = json.dumps({"@type": "LiveBlogPosting", "liveBlogUpdate": [{"articleBody": "word " * 200}] * 1000})
    body = f"<html><script type='application/ld+json'>{data}</script><p>{ALARM}</p></html>".encode()
    assert len(page_words(body)) < 200_000 and may_pass(body)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes_are_filtered_without_error(noise: bytes) -> None:
    may_pass(noise)
    may_pass(b"<html><p>" + noise + b"</p>" + noise)


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="&#xX;ampltqunbs39;é “ <", max_size=60))
def test_entities_are_resolved_as_the_standard_library_does(text: str) -> None:
    resolved = html.unescape(text).replace("&", " ")  # which parts words, and would be resolved again
    assert plain_words(text.encode()) == plain_words(resolved.encode())


def test_text_around_a_link_with_a_less_than_sign_is_kept() -> None:
    body = f'<html><p>{ALARM} <a href="/a" title="1 < 2">More</a></p><p>{ALARM}</p></html>'.encode()
    assert page_words(body).count(b" chatbot ") == 2


PIECES = [
    "<p>", "</p>", "<script>", "</script>", "<!--", "-->", "<style>", "</style>", "<a>", "</a>", "word ", "<", ">",
    "--!>", "</SCRIPT>", "<br>", " <b>", "</b>",
]  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=25))
def test_every_word_that_a_browser_shows_is_among_the_words(parts: list[str]) -> None:
    """Except in links that stand alone: those are taken out before both are compared."""
    source = "".join(part for part in parts if part not in ("<a>", "</a>")) + "<p>last"
    tree = LexborHTMLParser(source)
    for node in tree.css("script,style,noscript,template"):
        node.decompose()
    shown = tree.body.text(separator=" ").split() if tree.body is not None else []
    assert shown.count("word") <= page_words(source.encode()).split().count(b"word")
