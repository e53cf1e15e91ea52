"""Numbers in, figures out: one module a lesson, one style for all (style.py)."""
