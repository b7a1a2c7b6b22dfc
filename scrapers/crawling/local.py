"""The bookkeeper of `scrapy crawl`, which records in the crawling process itself."""

from __future__ import annotations

import logging
from contextlib import ExitStack
from pathlib import Path

from scrapy.crawler import Crawler
from scrapy.exceptions import CloseSpider
from scrapy.utils.misc import load_object

from scrapers.archive.store import Archive, ArchiveError
from scrapers.crawling.bookkeeping import CrawlTally, FrontierBookkeeper
from scrapers.crawling.crawl import ConfigError, CrawlError, check_disk, identity
from scrapers.crawling.frontier import Frontier
from scrapers.database import FolderInUse, folder_lock
from scrapers.items import Source
from scrapers.messages import CrawlConfig, Task

_log = logging.getLogger(__name__)


class LocalBookkeeper(FrontierBookkeeper):
    """Keeps the frontier and the archive in the folder of the setting DATA_FOLDER.

    Unlike `oversight crawl`, it has no time limit, and does not judge old entries again after the topic filter changed.
    """

    def __init__(self, crawler: Crawler) -> None:
        settings = crawler.settings
        sources: tuple[Source, ...] = crawler.spider.sources  # type: ignore[union-attr]
        topic_filter = settings["TOPIC_FILTER"]
        agent, _, contact = settings["USER_AGENT"].partition(" (+")
        config = CrawlConfig(
            user_agent=agent,
            contact=contact.removesuffix(")"),
            allow_loopback=settings.getbool("ALLOW_LOOPBACK"),
            topic_filter=load_object(topic_filter) if topic_filter else None,
        )
        folder = Path(settings["DATA_FOLDER"])
        self.files = ExitStack()
        try:
            if not settings.getdict("LOCAL_PORTS"):
                identity(sources, config.user_agent, config.contact)
            self.files.enter_context(folder_lock(folder))
            check_disk(folder)
            frontier = Frontier(folder / "crawl.db")
            self.files.callback(frontier.close)
            archive = Archive(folder / "archive", folder / "crawl.db")
            self.files.callback(archive.close)
        except (ConfigError, CrawlError, FolderInUse, ArchiveError, OSError) as error:
            self.files.close()
            where = " Set OVERSIGHT_CONTACT, or contact in oversight.toml." if isinstance(error, ConfigError) else ""
            _log.error("%s%s", error, where)
            raise CloseSpider("not_begun") from error
        super().__init__(sources, frontier, archive, config, lambda page: None, _say)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> LocalBookkeeper:
        return cls(crawler)

    def begin(self) -> tuple[Task, ...]:
        """Recover what a killed run left in the archive; return what is due."""
        now = self.config.now()
        self.frontier.recover(self.archive.unindexed())
        self.frontier.add_sources(self.sources.values(), now)
        self.frontier.correct_clock(now)
        return super().begin()

    def close(self) -> None:
        """Close the frontier and the archive."""
        self.files.close()


def _say(source: Source, tally: CrawlTally) -> None:
    outcomes = ", ".join(f"{n} {name}" for name, n in sorted(tally.outcomes.items()))
    _log.info("%s: %s", source.title, outcomes)
    for fault in tally.faults:
        _log.warning("%s", fault)
