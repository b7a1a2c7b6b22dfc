"""Helpers of several test modules: builders, invented worlds, local servers, reference implementations."""
