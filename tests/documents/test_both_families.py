"""A document that asks about capacities in GB and in GiB has one family of units, and each limit as it was given, too."""

from __future__ import annotations

import re

from symbolic_mem.documents.documents import homework
from symbolic_mem.library.read import load_study
from symbolic_mem.render.text import plain_prose


def test_a_limit_that_was_given_in_the_other_family_stands_in_both():
    answers = {part.label: plain_prose(part.answer) for part in homework(load_study("cs336-a1-adamw")).parts}
    assert "fits its ≈ 74.506 GiB (80 GB)" in answers["b"] and "≈ 60.600 GiB" in answers["b"]
    assert "fits its 80 GiB, and" in answers["b, binary"]


def test_one_family_alone_needs_no_brackets():
    answers = [plain_prose(part.answer) for part in homework(load_study("scaling-book-h100s")).parts]
    assert all("80 GB" in answer and not re.search(r"GiB|\(80", answer) for answer in answers)
