"""Words on the site: labels of codes, dates and counts, sentences about status and permissions, citations.

Pure functions of stored values. May import `pipeline.records` and `pipeline.aggregation`; the command line and alerts
use them too.
"""
