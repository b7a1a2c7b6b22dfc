"""Writes one English sentence for an event from its type, modality, participants and quotes.

Imports records and the lexicon.
"""

__all__ = ["content", "noun_phrases", "sentence"]
