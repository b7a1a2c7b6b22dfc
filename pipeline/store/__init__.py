"""Keep: private tables, the published ledger, and the checks between them."""
