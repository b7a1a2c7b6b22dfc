"""Paragraphs, the spaCy parse of each, and questions about a parse: arguments, spans and verb forms.

Imports pipeline.lexicon; `parser` imports spaCy.
"""
