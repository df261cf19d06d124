"""Modal dialogs: questions, which return the answer, and reports."""
