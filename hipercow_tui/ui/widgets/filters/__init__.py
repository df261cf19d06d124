"""The filter panel and its parts."""
