"""A demo: a believable hipercow root, and a pretend cluster that lives in it."""

from hipercow_tui.demo.generate import write_root

__all__ = ["write_root"]
