"""Converts records to rows of the tables of crawl.db and build.db, and back.

Pure: nothing here opens a database.
"""

__all__ = ["entities", "records", "revisions", "tables", "timelines"]
