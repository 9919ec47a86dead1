"""An option that takes one value counts once: a second value is refused, instead of the last one winning in silence."""

from __future__ import annotations

import json

import pytest

from symbolic_mem.shipped.read import answer

STUDY = "cs336-a2-xxl"


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (("solve", STUDY, "--for", "n_fsdp", "--for", "B"), "--for is given twice; give it once"),
        (("solve", STUDY, "--reserve", "1 GB", "--reserve=2 GB"), "--reserve is given twice"),
        (("solve", STUDY, "--strict", "--at-most"), "--strict or --at-most is given twice"),
        (("account", STUDY, *("--rest", "kept") * 3), "--rest is given 3 times"),
        (("solve", STUDY, "--set", "B=1", "--set", "B = 2"), "--set B is given twice; give it once"),
        (("solve", STUDY, "--place", "weights=1", "--place", "weights=1/2"), "--place weights is given twice"),
        (("explore", STUDY, "-o", "a.html", "-o", "b.html"), "-o is given twice"),
        (("fragment", STUDY, "--part", "bound", "--part", "table"), "--part is given twice"),
    ],
)
def test_an_option_given_twice_is_refused(refused, call, said):
    assert said in refused(*call)


@pytest.mark.parametrize("more", [("--set", "B=1", "--set", "B=2"), ("--device", "h200", "--device", "h100-80gb")])
def test_what_a_wheel_carries_ready_refuses_it_too(run, more):
    call = ("account", "llama-3.1-8b", *more, "--json")
    assert answer(call) is None
    assert "is given twice" in json.loads(run(*call).out)["error"]["message"]


def test_what_may_be_repeated_may(run):
    assert run("solve", STUDY, "--kind", "weights", "--kind", "gradients", "--json", "--json").status == 0
    assert run("compare", STUDY, "--recipe", "fp32", "--recipe", "cs336").status == 0


def test_an_option_without_its_value_names_the_help_of_its_verb(refused):
    assert refused("solve", STUDY, "--rest").endswith("see `symbolic-mem solve --help`")
