"""Applies recipes, the CSS selectors on a source card, to pages."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from scrapers.items import Recipe, Source
from scrapers.reading.blocks import Block, blocks, parse, remove, tidy
from scrapers.reading.body import is_only_links

if TYPE_CHECKING:
    from bs4 import Tag

# Elements that no recipe selects. Removing them with the fast parser halves the time that BeautifulSoup needs.
_BULK = (
    "head,script,style,svg,noscript,template,iframe,nav,footer,form,button,picture,img,source,video,audio,object,link,"
    "input,select"
)


@dataclass(frozen=True, slots=True)
class Picked:
    """The result of a recipe; fields are empty if there is no selector or it finds nothing."""

    blocks: tuple[Block, ...] = ()
    title: str = ""
    byline: tuple[str, ...] = ()
    date: str = ""


def recipes_for(source: Source | None, day: date | None) -> list[Recipe]:
    """Return the recipes that were valid on a publication day, or all if it is unknown, newest first."""
    if source is None:
        return []
    valid = [
        recipe
        for recipe in source.recipes
        if day is None
        or (
            (recipe.valid_from is None or recipe.valid_from <= day)
            and (recipe.valid_until is None or day <= recipe.valid_until)
        )
    ]
    return sorted(valid, key=lambda recipe: recipe.valid_from or date.min, reverse=True)


def apply(recipe: Recipe, html: str) -> Picked:
    """Apply a recipe to a page. Of nested matches only the outermost counts."""
    from bs4 import BeautifulSoup  # slow to import, and only needed here
    from soupsieve import compile as compile_selector

    soup = BeautifulSoup(_slim(html), "lxml")
    title = soup.select_one(recipe.title) if recipe.title else None
    byline = [tidy(node.get_text(" ")) for node in soup.select(recipe.byline)] if recipe.byline else []
    when = soup.select_one(recipe.date) if recipe.date else None
    drop = compile_selector(", ".join(recipe.drop)) if recipe.drop else None
    found: list[Block] = []
    for node in _outermost(soup.select(recipe.body)) if recipe.body else []:
        if drop is not None:
            if drop.closest(node) is not None:
                continue
            for part in drop.select(node):
                part.decompose()
        fragment = parse(f"<body>{node}</body>").root
        found.extend(block for block in (blocks(fragment) if fragment is not None else []) if not is_only_links(block))
    return Picked(
        blocks=tuple(found),
        title=tidy(title.get_text(" ")) if title else "",
        byline=tuple(name for name in byline if name),
        date=_written_date(when) if when else "",
    )


def _slim(html: str) -> str:
    tree = parse(html)
    remove(tree.css(_BULK))
    return tree.html or ""


def _outermost(found: list[Tag]) -> list[Tag]:
    chosen = {id(node) for node in found}
    return [node for node in found if not any(id(parent) in chosen for parent in node.parents)]


def _written_date(node: Tag) -> str:
    value = node.get("datetime") or node.get("content") or node.get_text(" ")
    return tidy(str(value))
