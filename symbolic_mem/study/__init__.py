"""A study, a change of it, and what a question is."""
