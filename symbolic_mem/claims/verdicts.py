"""What `check` found, in words and as JSON: right to how many figures, or wrong by how much, and the slips that give it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from math import ceil, floor
from typing import Any

import sympy as sp

from symbolic_mem.base.formula import write_formula
from symbolic_mem.base.rational import symbolic
from symbolic_mem.base.shown import ONE_OF
from symbolic_mem.base.units import BYTES_PER
from symbolic_mem.claims.claim import Claim
from symbolic_mem.claims.counted import counting
from symbolic_mem.claims.explain import Explanation
from symbolic_mem.claims.follow import NAME, ROUNDED
from symbolic_mem.claims.given_slips import given_slip
from symbolic_mem.claims.measures import is_time
from symbolic_mem.claims.rule import LEAST_FIGURES, right_to
from symbolic_mem.claims.verdict import Unread, Verdict
from symbolic_mem.document.prose import Amount, Brief, Prose, say, text
from symbolic_mem.document.words import about, listed, sentences
from symbolic_mem.render.text import plain_prose

MAX_EXPLANATIONS = 6
_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")


def verdict_words(verdict: Verdict) -> Prose:
    """Say in one paragraph whether the claim is right, by how much it is off, and which slips give it.

    >>> from symbolic_mem.claims.check import check
    >>> from symbolic_mem.render.text import plain_prose
    >>> from symbolic_mem.library.read import load_study
    >>> study = load_study("cs336-a2-xxl")
    >>> plain_prose(verdict_words(check(study, "static=3276 GiB")))
    'static = 3276 GiB is right: it is the exact number.'
    >>> plain_prose(verdict_words(check(study, "static=3500 GB")))
    'static = 3500 GB is right to two figures: the exact number is ≈ 3517.58 GB.'
    """
    return sentences(_verdict(verdict), *verdict.beside)


def _verdict(verdict: Verdict) -> Prose:
    claim, label = verdict.claim, verdict.question
    read = claim.bare and claim.name != claim.unit
    stated = f"{claim.text}, read as {claim.name}" if read else _stated(claim)
    stated = stated if label is None else f"{stated} (question {label})"
    pieces: dict[str, Any] = {"claim": text(f"{stated}," if read else stated)}
    counted = counting(verdict)
    if counted is not None and counted.otherwise:
        right_to_them = "" if not verdict.figures else f"{_figures(verdict.figures)}{_more_shown(verdict, ',')}"
        return counted.right(right_to_them, exact_words(verdict, verdict.expected), **pieces)
    if verdict.compared is not None:
        return _formula(verdict, pieces)
    if verdict.right and claim.never:
        return say("{claim} is right: {none}.", none=_none(verdict), **pieces)
    if verdict.right and verdict.claimed.measures == "devices":
        pieces["what"] = verdict.claimed.fits
        return say("{claim} is right: it is the exact number, and {what} fits there.", **pieces)
    if not verdict.right:
        if verdict.claimed.given or verdict.own:
            return sentences(_wrong(verdict, pieces), _rule(verdict), _of_given(verdict))
        open_counts = text("") if counted is None else counted.wrong
        if _itself(verdict):
            found = exact_words(verdict, verdict.expected)
            bound = "at least" if claim.bound == "more" else "at most"
            return sentences(
                _wrong(verdict, pieces), say("{n} is in the bound: it is {b} {n}.", n=found, b=text(bound))
            )
        return sentences(_wrong(verdict, pieces), _nearest(verdict), _rule(verdict), open_counts, _slips(verdict))
    if verdict.claimed.given and not verdict.rounded:
        return say("{claim} is right: it is what the study gives.", **pieces)
    if not verdict.rounded:
        return say("{claim} is right: it is the exact number.", **pieces)
    return _rounded(verdict, pieces)


def _itself(verdict: Verdict) -> bool:
    """Whether a claim leaves out, as more or fewer, the very number that is the bound."""
    claim = verdict.claim
    said = claim.bound in ("more", "fewer") and verdict.claimed.whole and claim.number is not None
    return said and claim.number * verdict.stated.scale == verdict.expected


def _stated(claim: Claim) -> str:
    """A claim with a name as it is repeated: n_fsdp = 46, n_fsdp >= 46."""
    return claim.stated.replace("=", " = ", 1) if claim.stated.startswith(f"{claim.name}=") else claim.stated


def _of_given(verdict: Verdict) -> Prose:
    """Whose figure a wrong rate is in place of the given one."""
    if not verdict.claimed.given or verdict.expected is None or verdict.value is None:
        return text("")
    return given_slip(verdict.claimed.unit, verdict.expected, verdict.value)


def truth_words(verdict: Verdict) -> str:
    """What is true, for the cell of a table."""
    if verdict.expected is None:
        return "none" if verdict.compared is None else ""
    return plain_prose(exact_words(verdict, verdict.expected))


def figures_words(verdict: Verdict) -> str:
    """To how many figures a right claim is right, for the cell of a table."""
    if verdict.compared is not None:
        return f"the formula, to {_figures(verdict.figures)}" if verdict.figures else "the formula"
    return f"to {_figures(verdict.figures)}" if verdict.figures else "exactly"


def _rounded(verdict: Verdict, pieces: dict[str, Any]) -> Prose:
    """Right to some figures; where more are shown that are not those of the exact number, that too."""
    assert verdict.figures is not None and verdict.claim.spelled is not None, "what is rounded has figures"
    pieces |= {"figures": _figures(verdict.figures), "n": exact_words(verdict, verdict.expected)}
    pieces["more"] = text(_more_shown(verdict))
    return say("{claim} is right to {figures}{more}: the exact number is {n}.", **pieces)


def _more_shown(verdict: Verdict, then: str = "") -> str:
    """That a claim shows more figures than are right, `then` with a comma behind it; nothing where it does not."""
    shown = 0 if verdict.claim.spelled is None else verdict.claim.spelled.shown
    return f", not to the {_counted(shown)} that it shows{then}" if shown > (verdict.figures or 0) else ""


def _figures(number: int) -> str:
    return f"{_counted(number)} figures"


def _counted(number: int) -> str:
    return _NUMBERS[number] if number < len(_NUMBERS) else str(number)


def _wrong(verdict: Verdict, pieces: dict[str, Any]) -> Prose:
    if verdict.expected is None:
        return say("{claim} is wrong: {none}.", none=_none(verdict), **pieces)
    pieces |= {"n": exact_words(verdict, verdict.expected)}
    if verdict.difference is None or verdict.value is None:
        return say("{claim} is wrong: the number exists, and it is {n}.", **pieces)
    if verdict.claimed.given:
        return say("{claim} is wrong: the study gives {n}.", **pieces)
    few, many = ("too few", "too many") if verdict.claimed.whole else ("too little", "too much")
    pieces |= {"off": _off(verdict, abs(verdict.difference)), "side": few if verdict.difference < 0 else many}
    if not verdict.ratio:
        return say("{claim} is wrong: it is {n}, so the claim is {off} {side}.", **pieces)
    how = off_words(verdict.ratio)
    if verdict.ratio > 10**9:
        return say("{claim} is wrong: it is {n}, and the claim is {how}.", how=how, **pieces)
    return say("{claim} is wrong: it is {n}, so the claim is {off} {side} ({how}).", how=how, **pieces)


def off_words(ratio: Fraction) -> str:
    """Say how far a claim is off, as a share of the truth or as a multiple of it, in two figures and without powers.

    >>> off_words(Fraction(178, 100)), off_words(Fraction(38, 46)), off_words(Fraction(2)), off_words(Fraction(7, 10**6)), off_words(Fraction(-3))
    ('+78 %', '≈ -17 %', '2 times the truth', 'the truth is about 140,000 times the claim', 'of the other sign')
    """
    if ratio < 0:
        return "of the other sign"
    if Fraction(1, 2) < ratio < 2:
        share = 100 * (ratio - 1)
        shown = _two_figures(abs(share))
        mark = "" if _exactly(shown) == abs(share) else "≈ "
        return f"{mark}{'+' if share > 0 else '-'}{shown} %"
    if ratio > 10**9:
        return "more than a thousand million times the truth"
    if ratio >= 2:
        return f"{_about(ratio)} times the truth"
    if 1 / ratio > 10**15:
        return "the truth is more than a thousand million times the claim"
    return f"the truth is {_about(1 / ratio)} times the claim"


def _about(number: Fraction) -> str:
    shown = _two_figures(number)
    return shown if _exactly(shown) == number else f"about {shown}"


def _exactly(shown: str) -> Fraction:
    return Fraction(shown.replace(",", ""))


def _two_figures(number: Fraction) -> str:
    """A positive number in two figures, written out."""
    places = 1
    while number * Fraction(10) ** places < 10:
        places += 1
    while number * Fraction(10) ** (places - 1) >= 10:
        places -= 1
    rounded = round(number * Fraction(10) ** places) / Fraction(10) ** places
    return f"{int(rounded):,}" if rounded.denominator == 1 else f"{float(rounded):.{max(places, 1)}f}".rstrip("0")


def _rule(verdict: Verdict) -> Prose:
    """What of the rule a claim that is near must be told: counts are exact, and one figure is too few."""
    stated, exact = verdict.stated, verdict.expected
    if stated.number is None or stated.computed or not exact:
        return text("")
    if verdict.claimed.whole:
        near = right_to(exact / stated.scale, stated.number) is not None
        return text("A number of things is right only exactly.") if near else text("")
    shown = 0 if verdict.claim.spelled is None else verdict.claim.spelled.shown
    if verdict.claim.bound and exact.denominator != 1:
        return _bound(verdict, exact, max(shown, LEAST_FIGURES))
    if shown == 1 and right_to(exact / stated.scale, stated.number, least=1) is not None:
        return text("One figure is too few: a claim is held against the exact number at two figures at least.")
    return text("")


def _bound(verdict: Verdict, exact: Fraction, figures: int) -> Prose:
    """What a wrong bound between two whole numbers should have been: in its figures, and as a whole number."""
    least = verdict.claim.bound in ("least", "more")
    return say(
        "To {figures} the bound is {n}; the {extreme} whole number in it is {whole}.",
        figures=text(_figures(figures)),
        n=about(Amount(symbolic(exact), digits=figures)),
        extreme=text("smallest" if least else "largest"),
        whole=Amount(symbolic(Fraction(ceil(exact) if least else floor(exact)))),
    )


def _nearest(verdict: Verdict) -> Prose:
    """Of a wrong claim without a name, how it was read, and how to say which quantity is meant."""
    claim = verdict.claim
    if not claim.bare or claim.never or verdict.expected is None:
        return text("")
    return say(
        "That is the nearest number with this unit; write its name, as in {name}, where another is meant.",
        name=replace(claim, bare=False, text=claim.text.removesuffix(claim.name).rstrip()).stated,
    )


def _none(verdict: Verdict) -> str:
    """That there is no number, in words."""
    if verdict.claimed.measures == "devices":
        return "no number of devices is enough"
    return "no batch is large enough" if verdict.claimed.measures == "tokens" else "there is no such number"


def exact_words(verdict: Verdict, value: Fraction | None) -> Prose:
    """A number of what a verdict is about, in the unit that is claimed."""
    number = symbolic(value or Fraction(0))
    if verdict.claimed.measures == "bytes":
        unit = verdict.stated.unit
        return about(Amount(number, unit if unit in BYTES_PER else "bytes", digits=6, fixed=True))
    if is_time(verdict.stated.unit):
        return about(Amount(number / symbolic(verdict.stated.scale), verdict.stated.unit, digits=6))
    unit = "" if verdict.claimed.whole or verdict.claimed.unit in ONE_OF else verdict.claimed.unit
    return about(Amount(number, unit, digits=6))


def _off(verdict: Verdict, difference: Fraction) -> Prose:
    """How far a claim is off, in the unit that is claimed; of shares in percentage points, beside which a share of the truth stands."""
    if verdict.claimed.unit != "%":
        return exact_words(verdict, difference)
    return about(Amount(symbolic(difference), "percentage points", digits=6))


def _formula(verdict: Verdict, pieces: dict[str, Any]) -> Prose:
    """The verdict on a formula: equal for all values, or another one, with what it comes to here."""
    compared = verdict.compared
    assert compared is not None
    put = listed([f"{symbol} = {value}" for symbol, value in compared.put.items()]) if compared.put else ""
    if compared.rounded and verdict.right:
        pieces |= {"figures": text(_figures(compared.rounded)), "put": text(put)}
        exact = sp.expand(compared.expected.xreplace(dict(compared.put)))
        if verdict.claimed.measures == "bytes":
            return say(
                "{claim} is right to {figures} in its numbers: exactly it is {exact} bytes with {put}.",
                exact=exact,
                **pieces,
            )
        return say(
            "{claim} is right to {figures} in its numbers: exactly it is {exact} with {put}.", exact=exact, **pieces
        )
    if compared.same and put and compared.claimed.free_symbols:
        return say(
            "{claim} is right: it is the formula with {put}, whatever the other values.", put=text(put), **pieces
        )
    if compared.same and (put or not compared.claimed.free_symbols):
        return say("{claim} is right: it comes to the exact number.", **pieces)
    if compared.same:
        return say("{claim} is right: it is the formula, whatever the values.", **pieces)
    shown = Brief(compared.expected, otherwise=text("another"))
    pieces |= {"formula": Prose((shown,))}
    if compared.value is None or verdict.expected is None:
        return say("{claim} is wrong: the formula is {formula}.", **pieces)
    pieces |= {"n": exact_words(verdict, verdict.expected), "here": exact_words(verdict, compared.value)}
    if compared.value == verdict.expected:
        return say("{claim} is wrong: the formula is {formula}, although both come to {n} at these values.", **pieces)
    said = say("{claim} is wrong: the formula is {formula}. Here it comes to {here} in place of {n}.", **pieces)
    counted = counting(verdict)
    said = said if counted is None else sentences(said, counted.wrong)
    return sentences(said, _slips(verdict)) if verdict.explanations else said


def _slips(verdict: Verdict) -> Prose:
    printed = [one for one in verdict.claimed.printed if one[0] == verdict.value]
    if printed:
        editions = "; and in ".join(edition for _, edition, _ in printed)
        said = [f"It is the figure printed in {editions}.", *dict.fromkeys(slip for *_, slip in printed)]
        return sentences(
            *map(text, said), _ordinary(verdict, verdict.explanations) if verdict.explanations else text("")
        )
    follows = [one for one in verdict.explanations if _follows(one)]
    others = [one for one in verdict.explanations if not _follows(one)]
    if follows:
        said = "; or ".join(one.slips[0].sentence for one in follows)
        method = say("It is the {method}: {said}.", method=text(follows[0].slips[0].name), said=text(said))
        return sentences(method, _ordinary(verdict, others) if others else text(""))
    return _ordinary(verdict, others)


def _follows(explanation: Explanation) -> bool:
    return len(explanation.slips) == 1 and explanation.slips[0].name in (NAME, ROUNDED)


def _ordinary(verdict: Verdict, found: Sequence[Explanation]) -> Prose:
    if not found:
        return text("No known slip, and no likely pair of them, gives this number.")
    counted = counting(verdict)
    names = [_named(one) + ("" if counted is None else counted.of(one)) for one in found[:MAX_EXPLANATIONS]]
    more = len(found) - len(names)
    listing = text("; ".join(names) + (f"; and {more} more" if more else ""))
    if len(found) == 1:
        first = found[0]
        if len(first.slips) == 1:
            return say("One slip gives it: {names}.", names=listing)
        if first.made is None:
            return say("No single slip gives it, but two together do: {names}.", names=listing)
        return say("These slips together give it: {names}.", names=listing)
    if any(one.seen for one in found) and not all(one.seen for one in found):
        return say(
            "Each of these gives it, and the number cannot tell which; those that people made come first: {names}.",
            names=listing,
        )
    if all(len(one.slips) == 1 for one in found):
        return say("Each of these slips alone gives it, and the number cannot tell which: {names}.", names=listing)
    if any(one.made is not None or len(one.slips) == 1 for one in found):
        return say("Each of these gives it, and the number cannot tell which: {names}.", names=listing)
    return say("No single slip gives it; these pairs do: {names}.", names=listing)


def _named(explanation: Explanation) -> str:
    named = listed([f"“{slip.name}” ({slip.sentence})" for slip in explanation.slips])
    return f"{named}, {explanation.source}" if explanation.seen else named


def verdict_record(study: str, verdict: Verdict) -> Mapping[str, Any]:
    """Return a checked claim as ``check --json`` lists it; bytes or counts, exact where they are whole."""
    compared = verdict.compared
    return {
        "study": study,
        "question": verdict.question,
        "claim": verdict.claim.stated,
        "quantity": verdict.name,
        "measures": verdict.claimed.measures,
        "unit": verdict.claimed.unit or None,
        "right": verdict.right,
        "rounded": verdict.rounded,
        "figures": verdict.figures or None,
        "claimed": verdict.value,
        "expected": verdict.expected,
        "quotient": verdict.quotient,
        "difference": verdict.difference,
        **({} if compared is None else {"formula": write_formula(compared.expected)}),
        "explanations": [
            {
                "slips": [{"name": slip.name, "sentence": slip.sentence, "source": slip.source} for slip in one.slips],
                "value": one.value,
                "seen": one.source if one.seen else None,
            }
            for one in verdict.explanations
        ],
        "assumptions": verdict.beside,
        "sentence": verdict_words(verdict),
    }


def unread_record(study: str, unread: Unread) -> Mapping[str, Any]:
    """Return a claim that could not be checked as ``check --json`` lists it: with an error in place of a verdict."""
    return {"study": study, "claim": unread.text, "error": str(unread.error)}
