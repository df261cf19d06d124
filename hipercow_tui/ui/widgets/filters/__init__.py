"""The filter panel and its parts. It may import what ``ui.widgets`` may import."""
