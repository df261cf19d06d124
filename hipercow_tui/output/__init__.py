"""Plans and reports as text and JSON, and calls of R. It may import ``purging`` and lower
packages."""
