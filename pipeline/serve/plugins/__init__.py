"""Datasette plugins, registered by pipeline.serve.app: standing, pages, exports, filters, cells, looks, safety."""
