"""Paragraphs, the spaCy parse of each, and queries on a parse: arguments and spans.

Imports pipeline.lexicon; `parser` imports spaCy.
"""
