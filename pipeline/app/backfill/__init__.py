"""Archives of the web become articles and claims: a file is read in parts, a part is read by any process anywhere."""
