"""Folders that tests read: the project's root, and the real texts and pages that lie outside it."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SHARED = Path(os.environ.get("OVERSIGHT_SHARED") or ROOT.parent / "shared")
