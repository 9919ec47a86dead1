"""Values that a caller gives by the name of a symbol, or by the letter that documents print."""

from __future__ import annotations

import pytest

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.glossary import BY_LETTER, GLOSSARY
from symbolic_mem.library.read import load_study
from symbolic_mem.study.changed_values import set_value


def test_a_symbol_is_called_by_the_letter_that_is_printed():
    study = load_study("scaling-book-chips")
    by_name, by_letter = (study.called([set_value(name, 14 * 10**10)]) for name in ("Psi", "Ψ"))
    assert by_name.values == by_letter.values != study.values
    assert all(GLOSSARY[name].base == letter for letter, name in BY_LETTER.items() if name in GLOSSARY)


def test_another_letter_is_unknown():
    with pytest.raises(BadInput, match="unknown symbol 'Ω'"):
        load_study("scaling-book-chips").called([set_value("Ω", "1")])


@pytest.mark.parametrize(
    ("name", "given", "said"),
    [
        ("plan", {"preset": "fsdp2"}, "plan: {'preset': 'fsdp2'} is no text; write what would stand after --plan"),
        ("plan", ["fsdp2"], "plan: ['fsdp2'] is no text"),
        ("recipe", 3, "recipe: 3 is no text, and no Recipe"),
        ("device", {}, "device: {} is no text, and no Device"),
        ("rest", 1, "rest: 1 is no text"),
        ("capacity", 80, "capacity: 80 is no text; write what would stand after --capacity"),
        ("loss", 2.0, "loss: 2.0 is no text"),
        ("values", 3, 'values: 3 is no mapping; give one, as values={"B": 4}'),
        ("place", ["weights"], "place: ['weights'] is no mapping"),
    ],
)
def test_what_is_no_text_is_refused_where_a_name_is_asked_for(name, given, said):
    with pytest.raises(BadInput) as refused:
        load_study("llama-3.1-8b").change(**{name: given})
    assert str(refused.value).startswith(said)
