"""Who and what a text names: mentions, coreference, and descriptions of persons, bodies and countries.

Imports pipeline.lexicon and pipeline.nlp.parsing.
"""
