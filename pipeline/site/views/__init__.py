"""Query results shaped for display: timelines, the month chart, and highlighted quotes.

Pure functions; nothing here makes HTML. May import `pipeline.site.queries` and `pipeline.site.text`.
"""
