"""Publishes checked snapshots of build.db; verifies, seals, exports and documents them.

Imports the schema; the rest of the ledger is not needed to read a snapshot.
"""

__all__ = ["data_dictionary", "export", "indexes", "publish", "seals", "verify"]
