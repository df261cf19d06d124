"""The user's settings: saved filters and the theme. It may import ``formats`` and lower
packages."""
