"""A demo: a believable hipercow root, and a pretend cluster that lives in it."""

from hipercow_tui.demo.cluster import Cluster
from hipercow_tui.demo.generate import write_root
from hipercow_tui.demo.living import living_root

__all__ = ["Cluster", "living_root", "write_root"]
