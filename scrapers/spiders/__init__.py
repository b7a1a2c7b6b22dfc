"""The Scrapy spider, which visits the tasks that a crawl hands out.

May import `feeds`, `fetching` and the modules of `scrapers` itself; not `archive` or `crawling`.
"""

__all__ = ["source_spider"]
