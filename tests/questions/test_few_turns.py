"""The largest number of blocks under turns of many is found at few of the remainders, and is that of all of them."""

import json
import random

import pytest

from symbolic_mem.cli.main import main
from symbolic_mem.questions.parts.few_turns import ask_few


@pytest.mark.parametrize("seed", range(200))
def test_the_largest_the_next_and_what_comes_after_are_among_those_asked(seed):
    draw = random.Random(seed)
    step, count = draw.choice([1, 1, 2, 3]), draw.randint(5, 12)
    several = step * count
    far = draw.choice([1, 1, 3])
    most = {rest: several * draw.randint(2, 2 + far) + rest for rest in range(0, several, step)}
    asked = []

    def largest(rest):
        asked.append(rest)
        return most[rest]

    enough = ask_few(several, step, largest, lambda value: value <= most[value % several])
    first, second = sorted(most.values(), reverse=True)[:2]
    assert len(asked) == len(set(asked))
    if enough:
        assert {first % several, second % several, (first + step) % several} <= set(asked)
    else:
        assert first - second >= several  # so far below nothing is looked for


@pytest.mark.parametrize(("known", "fit"), [([None] * 6, True), ([20, 21, 22, 23, 24, 25], None), ([3] * 4, True)])
def test_where_nothing_is_known_all_are_to_be_asked(known, fit):
    assert not ask_few(len(known), 1, lambda rest: known[rest], lambda value: fit)


def test_the_largest_depth_under_turns_of_eight_fits_and_none_above_it_does(capsys):
    asked = ("llama-3.1-8b", "--recompute", "every=8", "--set", "n_fsdp=8")
    assert main(["solve", *asked, "--for", "L", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)

    def held(blocks):
        label = ("--device", "h100-80gb", "--reading", "reported")
        assert main(["account", *asked, *label, "--set", f"L={blocks}", "--json"]) == 0
        told = json.loads(capsys.readouterr().out)
        return told["per_device"]["peak_bytes"], told["per_device"]["fits"]

    most = found["value"]
    assert held(most) == (found["peak_bytes"], True)
    assert held(most + 1) == (found["at_value_plus_one_bytes"], False)
    assert not any(held(blocks)[1] for blocks in range(most + 2, most + 9))
