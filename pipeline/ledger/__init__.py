"""The ledger grows: what changed in crawl.db comes in, and only what hangs on it is joined and written again."""
