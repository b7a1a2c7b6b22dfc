"""Commands for editors: the review queue, and decisions on claims, events and names."""
