"""Rows, orders and groups for lists. It may import ``scanning`` and lower packages."""
