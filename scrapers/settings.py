"""The Scrapy settings of the fetching process."""

from __future__ import annotations

from typing import Any

from scrapy.logformatter import LogFormatter

from scrapers.messages import FetchOrder


class QuietFormatter(LogFormatter):
    """Logs no line per response: visits are rows of crawl.db."""

    def crawled(self, *args: Any, **kwargs: Any) -> None:  # type: ignore[override]
        return None


def scrapy_settings(order: FetchOrder) -> dict[str, Any]:
    """Return the settings of one run of the fetching process."""
    return {
        "USER_AGENT": order.user_agent,
        "OVERSIGHT_ALLOW_LOOPBACK": order.allow_loopback,
        "OVERSIGHT_LOCAL_PORTS": dict(order.local_ports),
        # It handles URL checks, robots.txt, rate limits, redirects, size and compression itself: no middlewares.
        "DOWNLOADER": "scrapers.fetching.downloader.HostDownloader",
        "TWISTED_REACTOR_ENABLED": False,
        "DOWNLOADER_MIDDLEWARES_BASE": {},
        "SPIDER_MIDDLEWARES_BASE": {},
        # Only http and https, and only through the downloader with the guarded resolver.
        "DOWNLOAD_HANDLERS_BASE": {},
        "EXTENSIONS_BASE": {},
        "HTTPPROXY_ENABLED": False,
        "DOWNLOAD_VERIFY_CERTIFICATES": True,
        "DOWNLOAD_MAXSIZE": order.max_bytes,
        "DOWNLOAD_TIMEOUT": order.timeout_seconds,
        "COOKIES_ENABLED": False,
        "RETRY_ENABLED": False,
        "TELNETCONSOLE_ENABLED": False,
        "REMOTE_CONTROL_ENABLED": False,
        "MEMUSAGE_ENABLED": False,
        "DUPEFILTER_CLASS": "scrapy.dupefilters.BaseDupeFilter",
        "STATS_CLASS": "scrapy.statscollectors.DummyStatsCollector",
        "LOG_FORMATTER": "scrapers.settings.QuietFormatter",
        "LOG_ENABLED": bool(order.log_file),
        "LOG_FILE": order.log_file or None,
        "LOG_LEVEL": "INFO",
        "STATS_DUMP": False,
    }
