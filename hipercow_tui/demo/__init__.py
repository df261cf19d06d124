"""A demo: a believable hipercow root, and a pretend cluster that lives in it."""

from hipercow_tui.demo.cluster import Cluster
from hipercow_tui.demo.demo_root import living_root
from hipercow_tui.demo.root_writer import write_root

__all__ = ["Cluster", "living_root", "write_root"]
