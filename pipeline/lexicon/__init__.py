"""Names, offices, patterns and word lists as TOML, and the loader that checks them."""
