"""Understand, join, keep, show: article -> claims -> events -> published ledger."""
