"""The Datasette site over a published snapshot: plugins, queries, facets, file formats, templates.

May import everything but `pipeline.app`. Start with `pipeline.site.app`, which builds and serves the site; it is not
imported here because it loads Datasette.
"""
