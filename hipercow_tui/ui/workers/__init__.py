"""Threads that feed the screens; imports no widget and no screen."""
