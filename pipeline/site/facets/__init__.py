"""Counts of facets from arrays in memory: loading the arrays, counting, and selecting the rows of a page.

May import `pipeline.ledger`; knows nothing of plugins or templates.
"""
