"""What a wrong rate, claimed of what a study gives, is in place of it: the figure with sparsity, that of both ways, or that of another device."""

from __future__ import annotations

from fractions import Fraction

from symbolic_mem.claims.rule import right_to
from symbolic_mem.document.prose import Prose, say, text
from symbolic_mem.document.words import listed
from symbolic_mem.hardware.catalogue import load_devices

_MOST = 3
_NEAR = Fraction(1, 100)
FLOPS, BANDWIDTH = "FLOP/s", "bytes/s"


def given_slip(unit: str, given: Fraction, claimed: Fraction) -> Prose:
    """Say whose figure a `claimed` rate is in place of the `given` one; nothing where it is none that is known.

    >>> from symbolic_mem.render.text import plain_prose
    >>> plain_prose(given_slip("FLOP/s", Fraction(9894 * 10**11), Fraction(1979 * 10**12)))
    'That is twice what is given: data sheets print FLOP/s with 2:4 sparsity so.'
    >>> plain_prose(given_slip("FLOP/s", Fraction(46 * 10**13), Fraction(459 * 10**12)))
    'That is the dense BF16 figure of Google TPU v5p.'
    """
    if unit not in (FLOPS, BANDWIDTH) or given <= 0 or claimed <= 0:
        return text("")
    times = claimed / given
    if abs(times / 2 - 1) < _NEAR:
        if unit == FLOPS:
            return text("That is twice what is given: data sheets print FLOP/s with 2:4 sparsity so.")
        return text("That is twice what is given, as both ways of a link are twice one way.")
    if abs(times * 2 - 1) < _NEAR and unit == BANDWIDTH:
        return text("That is half of what is given, as one way of a link is half of both ways.")
    found = [] if unit == BANDWIDTH else [one.title for one in load_devices().values() if _is(one.flops_bf16, claimed)]
    if not found or len(found) > _MOST:
        return text("")
    return say("That is the dense BF16 figure of {devices}.", devices=text(listed(found)))


def _is(figure: int | None, claimed: Fraction) -> bool:
    """Whether a figure of the catalogue rounds to the claim at three figures of it."""
    return figure is not None and right_to(Fraction(figure), claimed, least=3) is not None
