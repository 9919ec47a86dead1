"""Answers of bundled studies from the data that a wheel carries, without SymPy and without a parser of options.

What is not the plain case is left to the way that computes with formulas: another option, a value that decides more than
numbers, a study without data, anything that is refused. Both ways print the same bytes.
"""

from __future__ import annotations

import json
import os.path
import re
from collections.abc import Mapping, Sequence
from typing import Any

from symbolic_mem.base.told import grouped, short_power, told
from symbolic_mem.base.version import __version__
from symbolic_mem.base.walk import Number
from symbolic_mem.shipped.fill import Asked, Otherwise, exact

FOLDER = os.path.join(os.path.dirname(__file__), "data")
VERBS = ("account", "solve")
_STUDY = re.compile(r"[a-z0-9][a-z0-9.-]*")
_VALUE = re.compile(r"([A-Za-z_]+)=([1-9][0-9]{0,17})")
_AMOUNT = re.compile(r"[1-9][0-9]{0,11}(?:\.[0-9]{1,6})? ?[kMGTKi]{0,2}B")


def answer(arguments: Sequence[str], folder: str = FOLDER) -> bytes | None:
    """Return what the command line prints for these arguments; None where it must be computed.

    >>> answer(["account", "llama-3.1-8b", "--recipe", "cs336", "--json"]) is None
    True
    """
    try:
        verb, study, values, device, amount = _asked(arguments)
        content = _content(os.path.join(folder, verb, f"{study}.json"))
        form = _form(content, values)
        changes = [f"{form['spelled'][name]} = {_spelled(value)}" for name, value in values.items()]
        known = _device(content, device, amount)
        named = (("device", device and known["title"]), ("capacity", amount))
        weighed = [f"{what} {given}" for what, given in named if given is not None]
        said = "; ".join((*changes, *weighed))
        sizes = {**_base(content), **values}
        if content["reach"] is not None and sizes.get("S", 0) > content["reach"]:
            raise Otherwise
        asked = Asked(content["nodes"], sizes, known, said, *weighed[:1])
        if verb == "account":
            from symbolic_mem.shipped.fill_account import of_account

            record = of_account(asked, form)
        else:
            from symbolic_mem.shipped.fill_degree import of_degree

            record = of_degree(asked, form)
        return (json.dumps(told(record), indent=2, ensure_ascii=False) + "\n").encode()
    except (Otherwise, ZeroDivisionError):
        return None


def _asked(arguments: Sequence[str]) -> tuple[str, str, dict[str, int], str | None, str | None]:
    """The verb, the study, the values by name, the device and the amount that are asked about."""
    if not arguments or arguments[0] not in VERBS or arguments.count("--json") != 1:
        raise Otherwise
    study, values, given = "", dict[str, int](), dict[str, str]()
    rest = iter(arguments[1:])
    for one in rest:
        name, equals, text = one.partition("=")
        if one == "--json":
            continue
        if not one.startswith("-"):
            if study or not _STUDY.fullmatch(one):
                raise Otherwise
            study = one
            continue
        text = text if equals else next(rest, "")
        if name == "--set":
            pair = _VALUE.fullmatch(text)
            if pair is None or pair[1] in values:
                raise Otherwise
            values[pair[1]] = int(pair[2])
        elif name in ("--device", "--capacity") and name not in given:
            given[name] = text
        else:
            raise Otherwise
    if not study or len(given) > 1:
        raise Otherwise
    return arguments[0], study, values, given.get("--device"), given.get("--capacity")


def _spelled(value: int) -> str:
    """A number as a sentence writes it, unless that is a power of ten."""
    if short_power(str(value)) is not None:
        raise Otherwise
    return grouped(str(value))


def _content(path: str) -> Mapping[str, Any]:
    try:
        with open(path, encoding="utf-8") as file:
            content = json.load(file)
    except OSError:
        raise Otherwise from None
    if content["version"] != __version__:
        raise Otherwise
    return content


def _device(content: Mapping[str, Any], device: str | None, amount: str | None) -> Mapping[str, Any]:
    """What is known of the device, or of the amount, that is asked about."""
    known = content["device"]
    if amount is not None:
        if not _AMOUNT.fullmatch(amount):
            raise Otherwise
        return _cut(amount, known["reserved"], known["usable"])
    if device is None:
        return known["own"]
    if device not in known["devices"]:
        raise Otherwise
    return known["devices"][device]


def _cut(amount: str, reserved: str, usable: str) -> Mapping[str, Any]:
    """Of an amount, what is not reserved, and what is usable of that."""
    from symbolic_mem.base.errors import BadInput
    from symbolic_mem.base.units import read_amount

    try:
        size, unit = read_amount(amount)
    except BadInput:
        raise Otherwise from None
    left = size - exact(reserved)
    if left <= 0:
        raise Otherwise
    return {"counted": left * exact(usable), "unit": unit}


def _base(content: Mapping[str, Any]) -> dict[str, Number]:
    return {name: exact(value) for name, value in content["values"].items()}


def _form(content: Mapping[str, Any], given: Mapping[str, int]) -> Mapping[str, Any]:
    """The form that an account has at these values."""
    base = _base(content)
    for form in content["forms"]:
        if _holds(form, base, {**base, **given}, given):
            return form
    raise Otherwise


def _holds(form: Mapping[str, Any], base: Mapping[str, Number], values: Mapping[str, Number], given: Any) -> bool:
    """Whether a form is that of the account at these values."""
    return (
        all(values.get(name) == base.get(name) for name in form["fixed"])
        and all(values.get(name, 0) > 1 for name in form["several"])
        and all(name in form["free"] for name in given)
    )
