"""The page archive: a WARC file per day, indexed in crawl.db, and readers of WARC files made by others.

May import `fetching`, `reading` and the modules of `scrapers` itself; not `feeds`, `spiders` or `crawling`.
"""

__all__ = ["gzip_members", "pruning", "remote_files", "store", "warc", "warc_pages"]
