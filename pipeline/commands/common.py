"""Shared by the commands: settings, source cards and lexicon of a ledger, and the published database."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.errors import OutsideFailure, WrongUse
from pipeline.workspace import DataFolder
from scrapers.items import Source

if TYPE_CHECKING:
    from pipeline.settings import Settings


def settings_of(folder: DataFolder) -> Settings:
    """Return the settings of a ledger."""
    from pipeline.settings import load_settings  # pydantic would slow down --help

    return load_settings(folder.settings)


def sources_of(settings: Settings) -> tuple[Source, ...]:
    """Return the packaged source cards and those of the settings; raise WrongUse for an invalid one."""
    from scrapers.cards import CardError, load_catalogue

    try:
        return load_catalogue(Path(settings.cards) if settings.cards else None, packaged=settings.catalogue)
    except CardError as error:
        raise WrongUse(str(error)) from error
    except OSError as error:
        raise WrongUse(f"{settings.cards}: cannot read the folder of source cards ({error.strerror}).") from error


def lexicon_of(settings: Settings) -> tuple[Path, ...]:
    """Return the lexicon files of the settings."""
    if not settings.lexicon:
        return ()
    place = Path(settings.lexicon)
    if not place.exists():
        raise WrongUse(f"{place}: the lexicon named in the settings does not exist.")
    return (place,)


def need_contact(folder: DataFolder, settings: Settings) -> None:
    """Raise WrongUse if the settings give site owners no contact address."""
    if not settings.contact:
        raise WrongUse(
            'Site owners need a contact address. Put `contact = "you@your-newsroom.org"` into '
            f"{folder.settings}, or set OVERSIGHT_CONTACT."
        )


def open_ledger(folder: DataFolder) -> sqlite3.Connection:
    """Open the published ledger; raise WrongUse if there is none, or if another version wrote it."""
    from pipeline.ledger.schema import refuse_other_schema

    file = folder.need(
        folder.current, f"Run `oversight run` (or `oversight demo`) first{_elsewhere(folder)}."
    ).resolve()
    connection = sqlite3.connect(f"file:{file}?mode=ro&immutable=1", uri=True)
    connection.row_factory = sqlite3.Row
    refuse_other_schema(connection, file)
    return connection


def _elsewhere(folder: DataFolder) -> str:
    """Return a hint at a ledger one level below the folder, where the demo puts its own."""
    for place in sorted(folder.path.glob("*/published/current")):
        return f", or use the ledger in this folder: --data {place.parents[1]}"
    return ", or give another ledger's folder with --data"


def rows(db: sqlite3.Connection, sql: str, *values: Any) -> list[dict[str, Any]]:
    """Return all rows of a query as dictionaries."""
    return [dict(row) for row in db.execute(sql, values)]


def reviews_of(folder: DataFolder, settings: Settings) -> Path:
    """Return the file of the editors' decisions."""
    return Path(settings.reviews) if settings.reviews else folder.reviews


@contextmanager
def plain_errors() -> Iterator[None]:
    """Turn errors of the packages below into errors of the command line."""
    from pipeline.lexicon.load import LexiconError
    from scrapers.archive.store import ArchiveError
    from scrapers.crawling.crawl import ConfigError, CrawlError

    try:
        yield
    except (ConfigError, LexiconError) as error:
        raise WrongUse(str(error)) from error
    except (ArchiveError, CrawlError) as error:
        raise OutsideFailure(str(error)) from error
