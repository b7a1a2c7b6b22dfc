"""Datasette plugins: pages and exports, filters and facets, cells and looks, safety. Registered by pipeline.serve.app."""
