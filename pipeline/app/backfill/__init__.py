"""Imports web archives (WARC files): files are split into parts, and any process or cluster can read a part.

`run` coordinates, `work` reads one part, `engines` distribute parts, `progress` stores results, `hosts` selects pages.
Imports scrapers, nlp and ledger; never the commands.
"""
