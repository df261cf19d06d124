"""Plans and reports as text, JSON and calls in R; imports ``purging`` and what that may import."""
