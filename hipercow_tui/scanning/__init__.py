"""Keeps a snapshot of a root up to date. It may import ``formats`` and lower packages."""
