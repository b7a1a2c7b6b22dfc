"""Acquire: source card -> page -> article. Imports nothing of pipeline."""
