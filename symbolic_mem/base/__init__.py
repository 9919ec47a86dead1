"""Errors, units, symbols, formulas, exact numbers: no memory, no model."""
