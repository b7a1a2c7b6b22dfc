"""What several commands share: the source cards and lexicon files of a ledger, and errors in the words of the house."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pipeline.errors import OutsideFailure, WrongUse
from pipeline.settings import Settings, load_settings
from pipeline.workspace import DataFolder
from scrapers.items import Source


def settings_of(folder: DataFolder) -> Settings:
    """Return the settings of a ledger."""
    return load_settings(folder.settings)


def sources_of(settings: Settings) -> tuple[Source, ...]:
    """Return the packaged source cards, if wanted, and those of the settings' folder; raise WrongUse for a bad one."""
    from pipeline.app.steps import every_source
    from scrapers.cards import CardError, load_sources

    try:
        packaged = load_sources() if settings.catalogue else ()
        return every_source(packaged, load_sources(Path(settings.cards)) if settings.cards else ())
    except CardError as error:
        raise WrongUse(str(error)) from error
    except OSError as error:
        raise WrongUse(f"{settings.cards}: the folder of source cards cannot be read ({error.strerror}).") from error


def lexicon_of(settings: Settings) -> tuple[Path, ...]:
    """Return the further lexicon files of the settings."""
    if not settings.lexicon:
        return ()
    place = Path(settings.lexicon)
    if not place.exists():
        raise WrongUse(f"{place}: the lexicon named in the settings is not there.")
    return (place,)


def need_contact(folder: DataFolder, settings: Settings) -> None:
    """Raise WrongUse where nobody is named whom the owners of a site could write to."""
    if not settings.contact:
        raise WrongUse(
            'The sites must be able to reach whoever crawls them. Put `contact = "you@your-newsroom.org"` into '
            f"{folder.settings}, or set OVERSIGHT_CONTACT."
        )


def open_ledger(folder: DataFolder) -> sqlite3.Connection:
    """Open the published ledger for reading; raise where there is none, or one of another version's tables."""
    from pipeline.ledger.schema import refuse_other_schema

    file = folder.need(
        folder.current, f"Run `oversight run` (or `oversight demo`) first{_elsewhere(folder)}."
    ).resolve()
    connection = sqlite3.connect(f"file:{file}?mode=ro&immutable=1", uri=True)
    connection.row_factory = sqlite3.Row
    refuse_other_schema(connection, file)
    return connection


def _elsewhere(folder: DataFolder) -> str:
    """Return how to name a ledger that lies just beneath the folder, as the demo's does."""
    for place in sorted(folder.path.glob("*/published/current")):
        return f", or name the ledger that is there: --data {place.parents[1]}"
    return ", or name another ledger's folder with --data"


def rows(db: sqlite3.Connection, sql: str, *values: Any) -> list[dict[str, Any]]:
    """Return all rows of a query as dictionaries."""
    return [dict(row) for row in db.execute(sql, values)]


def reviews_of(folder: DataFolder, settings: Settings) -> Path:
    """Return the file of the editors' decisions; a relative path in the settings counts from the data folder."""
    return folder.path / settings.reviews if settings.reviews else folder.reviews


@contextmanager
def plain_errors() -> Iterator[None]:
    """Turn the errors of the rooms below into those that the command line speaks."""
    from pipeline.lexicon.load import LexiconError
    from scrapers.archive.store import ArchiveError
    from scrapers.crawling.crawl import ConfigError, CrawlError

    try:
        yield
    except (ConfigError, LexiconError) as error:
        raise WrongUse(str(error)) from error
    except (ArchiveError, CrawlError) as error:
        raise OutsideFailure(str(error)) from error
