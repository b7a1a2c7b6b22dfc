"""An order to fetch comes in; the only Scrapy settings there are go out. What Scrapy leaves open is closed here."""

from __future__ import annotations

from typing import Any

from scrapers.tasks import FetchOrder

MOST_REDIRECTS = 5
MOST_HOSTS = 256


def scrapy_settings(order: FetchOrder) -> dict[str, Any]:
    """Return the settings for one run of the fetching process."""
    return {
        "USER_AGENT": order.user_agent,
        "TWISTED_DNS_RESOLVER": "scrapers.resolver.GuardedResolver",
        "OVERSIGHT_ALLOW_LOOPBACK": order.allow_loopback,
        # Nothing but http and https, and those through the one handler that asks the guarded resolver.
        "DOWNLOAD_HANDLERS": {"file": None, "data": None, "ftp": None, "s3": None},
        # A proxy would be the address that is judged, in place of the site.
        "HTTPPROXY_ENABLED": False,
        "DOWNLOAD_VERIFY_CERTIFICATES": True,
        "DOWNLOAD_MAXSIZE": order.max_bytes,
        "DOWNLOAD_WARNSIZE": 0,
        "DOWNLOAD_TIMEOUT": order.timeout_seconds,
        "DNS_TIMEOUT": min(20, order.timeout_seconds),
        # One at a time for each host, all hosts side by side: sixteen that hang must not hold up the others.
        "CONCURRENT_REQUESTS": MOST_HOSTS,
        "CONCURRENT_REQUESTS_PER_DOMAIN": 1,
        # 100 by default, each a task and a queue entry for every response.
        "CONCURRENT_ITEMS": 2,
        "DOWNLOADER_MIDDLEWARES": {
            "scrapy.downloadermiddlewares.offsite.OffsiteMiddleware": None,
            "scrapy.downloadermiddlewares.robotstxt.RobotsTxtMiddleware": None,
            "scrapy.downloadermiddlewares.httpauth.HttpAuthMiddleware": None,
            "scrapy.downloadermiddlewares.retry.RetryMiddleware": None,
            "scrapy.downloadermiddlewares.redirect.MetaRefreshMiddleware": None,
            "scrapy.downloadermiddlewares.redirect.RedirectMiddleware": None,
            "scrapy.downloadermiddlewares.httpcompression.HttpCompressionMiddleware": None,
            "scrapers.middlewares.AddressMiddleware": 50,
            "scrapers.middlewares.PaceMiddleware": 60,
            "scrapers.middlewares.RobotsMiddleware": 100,
            "scrapers.middlewares.RetryOnceMiddleware": 550,
            "scrapers.middlewares.CompressionMiddleware": 590,
            "scrapers.middlewares.RedirectMiddleware": 600,
            "scrapers.middlewares.PeerMiddleware": 950,
        },
        # Spiders see every answer, and no middleware drops a request in silence: each address has an outcome.
        "SPIDER_MIDDLEWARES": {
            "scrapy.spidermiddlewares.httperror.HttpErrorMiddleware": None,
            "scrapy.spidermiddlewares.referer.RefererMiddleware": None,
            "scrapy.spidermiddlewares.urllength.UrlLengthMiddleware": None,
            "scrapy.spidermiddlewares.depth.DepthMiddleware": None,
            "scrapy.spidermiddlewares.metacopy.MetaCopyDetectionMiddleware": None,
        },
        # Our own middlewares stand above for what these name.
        "ROBOTSTXT_OBEY": True,
        "REFERER_ENABLED": False,
        "REDIRECT_MAX_TIMES": MOST_REDIRECTS,
        "METAREFRESH_ENABLED": False,
        "COOKIES_ENABLED": False,
        "RETRY_ENABLED": False,
        "TELNETCONSOLE_ENABLED": False,
        "REMOTE_CONTROL_ENABLED": False,
        "MEMUSAGE_ENABLED": False,
        "DUPEFILTER_CLASS": "scrapy.dupefilters.BaseDupeFilter",
        "DEFAULT_REQUEST_HEADERS": {
            "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,application/json;q=0.8,*/*;q=0.5",
            "Accept-Language": "en;q=1.0, *;q=0.5",
        },
        "LOG_ENABLED": bool(order.log_file),
        "LOG_FILE": order.log_file or None,
        "LOG_LEVEL": "INFO",
        "STATS_DUMP": bool(order.log_file),
    }
