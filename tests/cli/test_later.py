"""The command line reads less of SymPy than its import does; what it puts off is as it always is for who asks for it."""

import subprocess
import sys

import pytest

from symbolic_mem.cli.later import PUT_OFF


def last_line(code):
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()[-1]


RUN = """
import os, sys
from symbolic_mem.cli import main
os._exit = lambda status: None
sys.argv = {arguments}
main.run()
import sympy
"""
ACCOUNT = RUN.format(arguments=["symbolic-mem", "account", "cs336-a2-xxl"])
REPORT = RUN.format(arguments=["symbolic-mem", "report", "deepseek-v3", "-o", "x.tex"])
# Their own modules are read with them alone: by no run of ours, and by SymPy when it is imported.
WITH_THEM = (
    "sympy.combinatorics",
    "sympy.geometry.point",
    "sympy.integrals.transforms",
    "sympy.plotting.plot",
    "sympy.printing.mathml",
    "sympy.sets.handlers.intersection",
    "sympy.solvers.ode",
)


@pytest.mark.parametrize("run", [ACCOUNT, REPORT], ids=["account", "report"])
def test_a_run_of_the_command_line_reads_none_of_them(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    read = f"print([name for name in {WITH_THEM} if name in sys.modules])"
    assert last_line(run + read) == "[]"
    names = f"print([name for name in {PUT_OFF} if type(sys.modules[name]).__name__ != '_Later'])"
    assert last_line(run + names) == "[]"


def test_sympy_reads_each_of_them_by_itself():
    plain = "import sys, sympy; sympy.Symbol('x') + sympy.Symbol('y')\n"
    read = f"print([name for name in {WITH_THEM} if name not in sys.modules])"
    assert last_line(plain + read) == "[]", "SymPy has ceased to load them: putting them off is no longer needed"


@pytest.mark.parametrize(
    ("asked", "printed"),
    [
        (
            "print(sympy.solve(sympy.Symbol('x') ** 2 - 4), type(sys.modules['sympy.solvers']).__name__)",
            "[-2, 2] module",
        ),
        ("print(sympy.Point(1, 2).distance(sympy.Point(1, 5)), isinstance(sympy.Point(0, 0), sympy.Point))", "3 True"),
        (
            "from sympy.geometry import Point, Point2D; print(isinstance(1, Point), type(Point(0, 0)) is Point2D)",
            "False False",
        ),
        ("from sympy.geometry.point import Point2D; print(type(sympy.Point(0, 0)) is Point2D)", "True"),
        ("x = sympy.Symbol('x'); print(sympy.integrate(x**2, (x, 0, 3)), sympy.latex(x / 2))", r"9 \frac{x}{2}"),
        ("print(sympy.sympify('integrate(2*y, y)'), sympy.geometry.Circle((0, 0), 2).area)", "y**2 4*pi"),
    ],
)
def test_they_are_sympys_own_when_they_are_asked_for(asked, printed):
    assert last_line(f"{ACCOUNT}{asked}") == printed


def test_tensors_are_sympys_own_when_they_are_asked_for():
    asked = """
from sympy.tensor.tensor import TensAdd, TensExpr, TensorHead, TensorIndexType, tensor_indices
lorentz = TensorIndexType("Lorentz")
i, j = tensor_indices("i j", lorentz)
A, B = (TensorHead(name, [lorentz]) for name in "AB")
total = A(i) + B(i) + A(i)
print(isinstance(total, TensAdd), total, sys.modules["sympy.tensor.tensor"].__file__ is not None)
"""
    assert last_line(ACCOUNT + asked) == "True 2*A(i) + B(i) True"


def test_a_name_that_there_is_not_is_refused_as_ever():
    asked = """
from sympy.plotting import no_such_name
try:
    no_such_name()
except AttributeError as error:
    print(error)
"""
    assert last_line(ACCOUNT + asked) == "module 'sympy.plotting' has no attribute 'no_such_name'"
