import subprocess
import sys

import symbolic_mem as sm


def test_a_function_stays_a_function_when_the_module_of_its_name_is_imported():
    code = (
        "import symbolic_mem.account, symbolic_mem.solve.bound, symbolic_mem.evaluate, symbolic_mem.compare\n"
        "import symbolic_mem as sm\n"
        "from symbolic_mem.solve.bound import Bound\n"
        "print(all(callable(getattr(sm, name)) for name in ('account', 'solve', 'evaluate', 'compare')), Bound is sm.Bound)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "True True\n"


def test_every_public_name_is_there_and_is_no_module():
    for name in sm.__all__:
        assert not isinstance(getattr(sm, name), type(sys))
