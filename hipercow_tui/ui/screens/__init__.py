"""Screens that cover the main screen."""
