"""Benchmarks of speed: the pipeline's stages, crawling, backfill, the site, the commands, and growing ledgers.

They use texts made from the shipped stories, and compare with stock tools. They are not part of the wheel: only the
`bench` command and the tests may import them. They may import everything.
"""

from __future__ import annotations

__all__: list[str] = []
