"""The application layer: pipeline steps, run log, alerts, backfill, maintenance and source checks.

May import every package below it, the site among them; the commands and `pipeline.api` import it.
"""
