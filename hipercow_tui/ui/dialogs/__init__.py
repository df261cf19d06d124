"""Modal questions and answers, which return a choice."""
