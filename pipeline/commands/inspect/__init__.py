"""Commands that read the published ledger: events, entities, status, contradictions, revisions, verify, export."""
