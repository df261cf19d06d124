"""The user's settings: saved filters, keys, columns and the theme. It may import ``formats`` and
lower packages."""
