"""What lists and groups show of a snapshot; imports ``scanning`` and what that may import."""
