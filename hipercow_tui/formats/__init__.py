"""The meaning of the files of a root, read-only. It may import ``domain`` and ``support``."""
