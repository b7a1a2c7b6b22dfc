"""facets."""
