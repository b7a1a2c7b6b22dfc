"""Alerts on new events, on new contradictions and on failing sources, by e-mail, webhook and Atom feed.

`rules` reads the settings, `events` finds what is new, `outbox` queues messages, `delivery` sends them. Imports the
ledger's published tables and the site's filters; never the commands.
"""

from pipeline.app.alerts.rules import Rule, Target, read_rules

__all__ = ["Rule", "Target", "read_rules"]
