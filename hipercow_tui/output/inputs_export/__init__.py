"""Inputs of tasks with status, times and error, for R, Python or a spreadsheet."""
