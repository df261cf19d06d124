"""Text, streams, signals and errors: knows no task, and imports nothing of the project."""
