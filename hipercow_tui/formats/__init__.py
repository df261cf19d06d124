"""The meaning of the files of a root, read-only; imports ``domain`` and ``support``."""
