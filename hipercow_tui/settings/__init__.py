"""The user's own files; imports ``formats`` and what that may import."""
