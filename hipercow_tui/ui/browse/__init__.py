"""The main screen: tasks, bundles and errors, with filters and search."""
