"""A small invented news world: the demo crawls it, the tour walks through it, the tests live in it."""
