"""Whole numbers in LaTeX; no SymPy is needed to set them."""

from __future__ import annotations

from symbolic_mem.base.told import grouped, short_power


def digits(text: str) -> str:
    """Set a number whose digits are grouped by commas."""
    return text.replace(",", r"\,")


def scientific(mantissa: str, exponent: int) -> str:
    """Set a number as a power of ten."""
    return f"{mantissa} \\times 10^{{{exponent}}}" if mantissa != "1" else f"10^{{{exponent}}}"


def whole(value: int) -> str:
    r"""Set a positive whole number, as a short power of ten where it is one.

    >>> whole(85520809984), whole(80000000000)
    ('85\\,520\\,809\\,984', '8 \\times 10^{10}')
    """
    power = short_power(str(value))
    return digits(grouped(str(value))) if power is None else scientific(*power)
