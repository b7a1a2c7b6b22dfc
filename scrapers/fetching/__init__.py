"""Fetching of URLs: the downloader for Scrapy, the guards on URLs and IP addresses, robots.txt, and decompression.

May import only `scrapers.items` and `scrapers.messages`.
"""

__all__ = ["content_type", "decompression", "dns_guard", "downloader", "outcomes", "robots", "url_guard"]
