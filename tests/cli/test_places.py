"""A message about what was given names its place once: the option as it is typed, or the file, at its beginning."""

from __future__ import annotations

import re

import click
import pytest
from sampled import sampled

from symbolic_mem.cli.main import VERBS, group

CALLS = {
    "homework": ("cs336-a2-xxl",),
    "report": ("cs336-a2-xxl",),
    "fragment": ("cs336-a2-xxl", "--part", "bound"),
    "account": ("llama-3.1-8b",),
    "solve": ("llama-3.1-8b",),
    "sweep": ("llama-3.1-8b", "--vary", "B=1,2"),
    "fit": ("llama-3.1-8b",),
    "explore": ("cs336-a2-xxl", "-o", "page.html"),
    "comms": ("cs336-a2-xxl",),
    "compare": ("llama-3.1-8b",),
    "check": ("llama-3.1-8b", "--claim", "n_fsdp=3"),
    "verify": ("cs336-a2-xxl",),
    "list": (),
    "schema": ("solve",),
    "show": ("cs336-a2-xxl",),
    "completion": ("bash",),
}
WRONG = ("", " ", "nonsense", "-1", "1e9999", "0x10", "１２", "y" * 3000, "a=b=c", "=3", "B=x", "weights=2", "3 QB")
ANY = {"author", "course", "date"}  # any text is right


def cases():
    """Each option of each verb that takes a value."""
    assert set(CALLS) == set(VERBS)
    for verb, call in CALLS.items():
        for option in group.get_command(click.Context(group), verb).params:
            takes = isinstance(option, click.Option) and not option.is_flag
            if takes and option.name not in ANY and "-o" not in option.opts:
                yield pytest.param(verb, call, option.opts[0], id=f"{verb} {option.opts[0]}")


@pytest.mark.parametrize(("verb", "call", "option"), sampled(cases(), 8))
def test_the_place_of_a_wrong_value_is_said_once(run, verb, call, option):
    for wrong in WRONG:
        done = run(verb, *call, option, wrong)
        said = done.err.removeprefix("symbolic-mem: ")
        if (done.status, option) == (0, "--page"):  # of what does not infer: said beside the rows
            continue
        assert done.status == 2, (wrong, done.out[:200])
        if option == "--claim":  # each in a line of its own, which begins with it
            continue
        placed = rf"{option}(?: \S*)?[ :]|'?{re.escape(wrong[:20])}|Invalid value for '{option}'"
        other = (
            r"(study '\S+' has no question|question .* of study|(compare|give one of|a question has one|which of)\b)"
        )
        assert re.match(f"{placed}|{other}", said), (wrong, said)
        assert not re.match(r"(\S+): \1\b|--(\S+):? \2[ :]", said), (wrong, said)
        assert len(re.findall(rf"(?<!\S){option}: ", said)) <= 1, (wrong, said)
