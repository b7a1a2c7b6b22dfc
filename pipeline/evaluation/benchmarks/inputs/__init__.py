"""Generated inputs of the benchmarks: texts and pages, WARC archives, a site's ledger, and a scaled newsroom server.

They are deterministic. They may import the newsroom, the training corpus and the ledger's schema.
"""

from __future__ import annotations

__all__: list[str] = []
