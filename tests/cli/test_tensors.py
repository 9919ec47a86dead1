"""The command line does not load SymPy's tensors, which then are as they always are for who asks for them."""

import subprocess
import sys

from symbolic_mem.cli.tensors import NAME


def last_line(code):
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()[-1]


RUN = """
import os, sys
from symbolic_mem.cli import main
os._exit = lambda status: None
sys.argv = ["symbolic-mem", "account", "cs336-a2-xxl"]
main.run()
"""


def test_a_run_of_the_command_line_loads_no_permutation_groups():
    said = (
        "print(sorted(name for name in sys.modules if name.startswith(('sympy.combinatorics', 'sympy.tensor.tensor'))))"
    )
    assert last_line(RUN + said) == f"['{NAME}']"
    plain = "import sys, sympy; sympy.Symbol('x') + sympy.Symbol('y'); print('sympy.combinatorics' in sys.modules)"
    assert last_line(plain) == "True", "SymPy has ceased to load them: putting them off is no longer needed"


def test_tensors_are_sympys_own_when_they_are_asked_for():
    asked = """
from sympy.tensor.tensor import TensExpr, TensorHead, TensorIndexType, tensor_indices
lorentz = TensorIndexType("Lorentz")
i, j = tensor_indices("i j", lorentz)
A, B = (TensorHead(name, [lorentz]) for name in "AB")
from sympy.tensor.tensor import TensAdd, TensExpr
total = A(i) + B(i) + A(i)
print(isinstance(total, TensAdd), total, sys.modules["sympy.tensor.tensor"].__file__ is not None)
"""
    assert last_line(RUN + asked) == "True 2*A(i) + B(i) True"
