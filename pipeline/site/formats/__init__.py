"""File formats that the site offers: Atom, iCalendar, JSON-LD, Excel, and snapshot downloads.

May import `pipeline.site.text` and `pipeline.site.views`. `atom` also writes the feeds of alerts.
"""
