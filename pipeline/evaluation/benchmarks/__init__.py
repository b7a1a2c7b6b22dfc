"""Measures how quick each stage of the line is on this machine, on texts made from the stories that are shipped."""
