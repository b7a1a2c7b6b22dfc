"""The settings of the Scrapy project. See docs/spiders.md; `oversight crawl` overrides some of them for its run."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any

from scrapers.messages import CrawlConfig

# The folder that `oversight --data` names, and the settings of its ledger, which the environment overrides.
DATA_FOLDER = os.environ.get("OVERSIGHT_DATA", "data")
_file = Path(DATA_FOLDER, "oversight.toml")
try:
    _ledger: dict[str, Any] = tomllib.loads(_file.read_text(encoding="utf-8")) if _file.is_file() else {}
except (tomllib.TOMLDecodeError, UnicodeDecodeError) as _error:
    raise SystemExit(f"{_file}: not readable as TOML ({_error}).") from _error
_defaults = CrawlConfig()
_yes = ("1", "true", "t", "yes", "y", "on")

BOT_NAME = "oversight-ledger"
SPIDER_MODULES = ["scrapers.spiders"]
if _own_spiders := os.environ.get("OVERSIGHT_SPIDERS", _ledger.get("spiders", "")):
    SPIDER_MODULES.append(_own_spiders)
NEWSPIDER_MODULE = "scrapers.spiders"
# One spider for each source card. A spider of SPIDER_MODULES with the name of a card is used for that card.
SPIDER_LOADER_CLASS = "scrapers.spiders.loader.CardSpiderLoader"
_cards = os.environ.get("OVERSIGHT_CARDS", _ledger.get("cards", ""))
CARDS = str(Path(DATA_FOLDER, _cards)) if _cards else ""  # a folder of source cards
CATALOGUE = (
    os.environ.get("OVERSIGHT_CATALOGUE", str(_ledger.get("catalogue", True))).lower() in _yes
)  # the packaged too
SOURCES: tuple[Any, ...] = ()  # records instead of cards
SPIDER_CONTRACTS = {"scrapers.spiders.contracts.EntriesContract": 10}

# What is kept, and who keeps it.
BOOKKEEPER = "scrapers.crawling.local.LocalBookkeeper"
SCHEDULER = "scrapers.crawling.scheduler.FrontierScheduler"
ITEM_PIPELINES = {"scrapers.crawling.pipelines.RecordPipeline": 0}
EXTENSIONS = {"scrapers.bookkeeper.BookkeeperExtension": 0, "scrapers.spiders.feed_reader.FeedReader": 0}
# From a feed entry's title and summary to whether its page is fetched, as an import path; "": every page is.
TOPIC_FILTER = "pipeline.nlp.relevance.score.passes_topic"

# Who we are. A crawl of other sites than local ones needs a contact: an e-mail address or a web page.
_contact = os.environ.get("OVERSIGHT_CONTACT", _ledger.get("contact", ""))
ROBOTS_TOKEN = "OversightLedger"  # the name that a robots.txt may address
USER_AGENT = f"{_defaults.user_agent} (+{_contact})" if _contact else _defaults.user_agent
DEFAULT_REQUEST_HEADERS = {
    "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,application/json;q=0.8,*/*;q=0.5",
    "Accept-Language": "en;q=1.0, *;q=0.5",
}
REFERRER_POLICY = "no-referrer"
COOKIES_ENABLED = False

# Politeness. RobotsPolicyMiddleware replaces Scrapy's robots.txt middleware, AddressGuardMiddleware its offsite filter.
ROBOTSTXT_OBEY = False
DOWNLOADER_MIDDLEWARES = {
    "scrapy.downloadermiddlewares.offsite.OffsiteMiddleware": None,
    "scrapers.fetching.middlewares.AddressGuardMiddleware": 50,
    "scrapers.fetching.middlewares.RobotsPolicyMiddleware": 100,
    "scrapers.fetching.middlewares.ResponseGuardMiddleware": 150,
    "scrapers.fetching.middlewares.ConditionalGetMiddleware": 200,
    "scrapy.downloadermiddlewares.redirect.RedirectMiddleware": None,
    "scrapers.fetching.middlewares.HttpRedirectMiddleware": 600,
}
SPIDER_MIDDLEWARES = {"scrapers.spiders.middleware.OneOutcomeMiddleware": 100}
CONCURRENT_REQUESTS = 200  # the scheduler hands out one request at a time for each host
CONCURRENT_REQUESTS_PER_DOMAIN = 1
DOWNLOAD_DELAY = 5.0  # of hosts without a card; a card's pause_seconds and a robots.txt take precedence
DOWNLOAD_DELAY_JITTER = 0.2
# What a page may ask in X-Robots-Tag or <meta name="robots">, upon which it is not kept: see docs/spiders.md.
REFUSED_DIRECTIVES = ["noai", "noindex", "none", "nosnippet"]

# Limits, and what may be connected to.
DOWNLOAD_HANDLERS = {
    "http": "scrapers.fetching.handler.GuardedDownloadHandler",
    "https": "scrapers.fetching.handler.GuardedDownloadHandler",
    "data": None,
    "file": None,
    "ftp": None,
    "s3": None,
}
TWISTED_REACTOR_ENABLED = False  # asyncio alone
ALLOW_LOOPBACK = False  # True: sites on this machine may be crawled, for tests
LOCAL_PORTS: dict[str, int] = {}  # hosts that are served from a local port instead
DOWNLOAD_VERIFY_CERTIFICATES = True
DOWNLOAD_MAXSIZE = _defaults.max_bytes
DOWNLOAD_WARNSIZE = 0
DOWNLOAD_TIMEOUT = _defaults.timeout_seconds
REDIRECT_MAX_TIMES = 5
METAREFRESH_ENABLED = False
HTTPPROXY_ENABLED = False
# A broken connection is tried once more; statuses are not, as the frontier keeps the address due.
RETRY_TIMES = 1
RETRY_HTTP_CODES: list[int] = []
RETRY_EXCEPTIONS = [
    "scrapy.exceptions.DownloadConnectionRefusedError",
    "scrapy.exceptions.ResponseDataLossError",
]
RETRY_GIVE_UP_LOG_LEVEL = "DEBUG"  # the outcome of the visit says it
CONCURRENT_ITEMS = 2
LOG_LEVEL = "INFO"
WARN_ON_GENERATOR_RETURN_VALUE = False  # it parses the source of a callback anew for each response
TELNETCONSOLE_ENABLED = False
REMOTE_CONTROL_ENABLED = False
