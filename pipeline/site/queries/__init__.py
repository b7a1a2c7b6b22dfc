"""The SQL of the site's pages: one module per subject, each returning plain dictionaries from a snapshot.

May import `pipeline.site.facets` and `pipeline.site.text`, not plugins or formats. What several modules need lies in
`common`.
"""
