"""Datasette plugins, registered by pipeline.serve.app: pages, feeds and data, filters, facets, cells, looks, safety."""
