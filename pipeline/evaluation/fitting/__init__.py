"""What is fitted to annotated texts and not written by hand: how sure a claim is, and what joins claims into events."""
