"""How good the extraction is, as measured: stored figures come in, the site and docs/accuracy.md show them."""
