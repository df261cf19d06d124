"""Keeps a snapshot of a root current; imports ``formats`` and what that may import."""
