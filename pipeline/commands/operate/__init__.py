"""Commands that run a ledger: crawl, build, publish, serve, backfill, alerts, sources, maintenance, schedule, demo."""
