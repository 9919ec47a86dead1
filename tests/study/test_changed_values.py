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
