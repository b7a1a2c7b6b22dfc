"""Show: the Datasette site over a published snapshot."""
