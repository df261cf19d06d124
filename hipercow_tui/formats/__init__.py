"""What the files of a root mean, read-only; imports ``domain`` and ``support``."""
