import subprocess
import sys
from pkgutil import iter_modules

import pytest

import symbolic_mem as sm


def test_no_public_name_is_hidden_by_a_module_of_its_name():
    code = (
        "import symbolic_mem.accounts.account, symbolic_mem.solvers.bound, symbolic_mem.claims.check\n"
        "import symbolic_mem.questions.compare as module\n"
        "import symbolic_mem as sm\n"
        "from symbolic_mem.solvers.bound import Bound\n"
        "print(all(callable(getattr(sm, name)) for name in ('account', 'solve', 'check', 'compare')), Bound is sm.Bound)\n"
        "print(type(module).__name__)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "True True\nmodule\n"


def test_no_public_name_is_that_of_a_room_or_a_module_in_the_package():
    assert not {module.name for module in iter_modules(sm.__path__)} & set(sm.__all__)


def test_every_public_name_is_there_and_is_no_module():
    assert len(sm.__all__) > 50
    for name in sm.__all__:
        assert not isinstance(getattr(sm, name), type(sys))


@pytest.mark.parametrize("name", ["homework", "report", "answer", "fragment", "figure", "check", "explorer", "fit"])
def test_the_name_of_a_study_is_no_study(name):
    """Whoever knows the command line gives a name first; what is said instead is what to give."""
    with pytest.raises(
        sm.BadInput, match=rf"{name} takes a study, and 'gpt2-xl' is a text; give load_study\('gpt2-xl'\)"
    ):
        getattr(sm, name)("gpt2-xl", "b")


def test_the_name_of_a_recipe_is_no_recipe():
    with pytest.raises(sm.BadInput, match=r"account takes a recipe, and 'cs336' is none; give recipe\(NAME\)"):
        sm.account(sm.ffn(), "cs336")
    with pytest.raises(sm.BadInput, match=r"account takes a model, and 'ffn' is none"):
        sm.account("ffn", sm.recipe("cs336"))
