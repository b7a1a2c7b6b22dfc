"""Datasette plugins, registered by pipeline.serve.app: standing, pages, exports, filters, facets, cells, looks, safety."""
