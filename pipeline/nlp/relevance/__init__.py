"""Decides cheaply, without parsing, whether a page, a feed entry or a text is about the oversight of AI.

Imports pipeline.lexicon and scrapers.reading, never spaCy. Public: `score.judge_relevance`, `score.passes_topic` and
`html_prefilter.may_pass`.
"""
