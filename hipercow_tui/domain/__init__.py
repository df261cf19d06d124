"""Values and rules of tasks, filters and plans, without input or output.

It may import ``support``.
"""
