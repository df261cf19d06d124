"""Rows, orders and groups for lists; imports ``formats``, ``domain`` and ``support``."""
