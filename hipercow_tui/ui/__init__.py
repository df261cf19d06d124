"""The app: the only rooms that import Textual."""
