import subprocess
import sys
from pkgutil import iter_modules

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
