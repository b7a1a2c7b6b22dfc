"""Finds and resolves the entities in a text: mentions, coreference, and descriptions of persons, bodies and countries.

Imports pipeline.lexicon and pipeline.nlp.parsing.
"""
