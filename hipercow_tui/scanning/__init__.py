"""Keeps a snapshot of a root up to date; imports ``formats``, ``domain`` and ``support``."""
