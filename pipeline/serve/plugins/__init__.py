"""Datasette plugins, registered by pipeline.serve.app: pages, exports, filters, cells, looks, safety."""
