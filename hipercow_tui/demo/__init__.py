"""A demo: a synthetic hipercow root, and a simulated cluster that works in it."""

from hipercow_tui.demo.cluster import Cluster
from hipercow_tui.demo.demo_root import living_root
from hipercow_tui.demo.root_writer import OpenJobs, write_root

__all__ = ["Cluster", "OpenJobs", "living_root", "write_root"]
