"""Paragraphs, the spaCy parse of each, and queries on a parse: arguments, spans and verb forms.

Imports pipeline.lexicon; `parser` imports spaCy.
"""
