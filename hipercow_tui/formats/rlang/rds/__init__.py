"""Reads R's serialization format; imports ``rlang.values`` and ``support``."""
