"""The site's Datasette plugins: pages, feeds, downloads, filters, facets, table cells and security.

Each module holds Datasette hooks and is registered by `pipeline.site.app`. Plugins may import every other part of
`pipeline.site`; no other part imports them, except `saved_filters`.
"""
