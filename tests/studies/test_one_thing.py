"""One of a thing is written in the singular, in every document that a caller can ask for."""

import re

import pytest
from sampled import sampled

from symbolic_mem.base.errors import BadInput
from symbolic_mem.documents.documents import homework
from symbolic_mem.library.bundled import bundled
from symbolic_mem.library.read import load_study
from symbolic_mem.render.document import render

ONES = ({"B": 1, "S": 1}, {"L": 1}, {"n_fsdp": 1}, {"n_kept": 1}, {"d_ff": 1, "d_model": 1})
MANY = (
    "tokens|sequences|devices|chips|bytes|stages|blocks|layers|ranks|microbatches|parameters|experts|nodes|groups|pods|axes|"
    "rows|heads|steps|meshes|instants|checkpoints|GPUs|days|hours"
)
WRONG = re.compile(rf"(?:^|[^\d.,\\}}/*^-])\$?1(?:~\\mathrm\{{|\$ |~| )(?:{MANY})\b", re.MULTILINE)


@pytest.mark.parametrize(
    ("name", "ones"), sampled([(name, index) for name in bundled() for index in range(len(ONES))], 23)
)
def test_one_thing_has_no_plural(name, ones):
    study = load_study(name)
    try:
        page = render(homework(study.change(values=ONES[ones])), "homework", "md").decode()
    except BadInput:
        return
    # after a formula with its sign, as in n - 1, a one is no number of its own
    assert not [match.group() for match in WRONG.finditer(re.sub(r"\s[-+]\s1\b", "", page))]
