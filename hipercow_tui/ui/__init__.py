"""The Textual app. Only this package imports Textual; it may import every package but ``cli``."""
