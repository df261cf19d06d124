"""Tasks, filters and the rules of a purge as pure values; imports ``support``."""
