"""A derivation as data: sentences, lines, steps, and the check of every line."""
