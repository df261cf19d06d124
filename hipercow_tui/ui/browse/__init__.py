"""The main screen with its lists and filters. It may import everything in ``ui``."""
