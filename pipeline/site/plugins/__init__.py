"""Datasette plugins, registered by pipeline.site.app: pages, feeds and data, filters, facets, cells, looks, safety."""
