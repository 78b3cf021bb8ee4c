"""Whose time it was: each microsecond from the report to the decision charged to one leg and one agency. Pure."""
