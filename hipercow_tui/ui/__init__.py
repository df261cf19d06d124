"""The Textual app: the only package that imports Textual; imports all but ``cli``."""
