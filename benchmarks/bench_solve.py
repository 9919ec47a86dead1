"""A 60-term degree bound in closed form against `sympy.solve` of the same equation, in pairs, with cold caches.

Run it with the interpreter of the environment: it prints the ratios and exits with 1 above the bar.
"""

from __future__ import annotations

import statistics
import sys
import time

import sympy as sp
from sympy.core.cache import clear_cache

from symbolic_mem.accounts.terms import Memory, Term
from symbolic_mem.base.symbols import C_mem, n_fsdp
from symbolic_mem.solvers.bound import solve

TERMS = 60
PAIRS = 5
BAR = 1 / 100


def memory() -> Memory:
    """Return 60 terms of three symbols each, of which every second one is divided."""
    terms = []
    for i in range(TERMS):
        a, b, c = (sp.Symbol(f"{letter}_{i}", positive=True) for letter in "abc")
        kind, degree = (("weights", n_fsdp), ("activations", sp.S.One))[i % 2]
        terms.append(Term(f"term {i}", kind, a * b * (c + i), sp.Integer(2 + i % 3), "", degree=degree))
    return Memory(tuple(terms))


def bound_seconds(placed: Memory) -> tuple[float, sp.Expr]:
    """Time the closed form: bound, condition and formula."""
    clear_cache()
    start = time.perf_counter()
    bound = solve(placed, n_fsdp, C_mem)
    answer = bound.quotient, bound.condition, bound.formula
    return time.perf_counter() - start, answer[0]


def sympy_seconds(placed: Memory) -> tuple[float, sp.Expr]:
    """Time `sympy.solve` of the equation that the memory is the capacity; building the sum is not timed."""
    total = placed.total
    clear_cache()
    start = time.perf_counter()
    solution = sp.solve(sp.Eq(total, C_mem), n_fsdp)
    return time.perf_counter() - start, solution[0]


def main() -> int:
    """Print the ratio of each pair and their median; return 1 when the median is above the bar."""
    placed = memory()
    values = {symbol: sp.Integer(3) for symbol in placed.total.free_symbols - {n_fsdp}} | {C_mem: sp.Integer(10**6)}
    ratios = []
    for pair in range(PAIRS):
        ours, quotient = bound_seconds(placed)
        theirs, solution = sympy_seconds(placed)
        if quotient.xreplace(values).doit() != solution.xreplace(values):
            print("the two answers differ", file=sys.stderr)
            return 1
        ratios.append(ours / theirs)
        print(f"pair {pair + 1}: {ours * 1e3:.2f} ms against {theirs * 1e3:.0f} ms: 1/{theirs / ours:.0f}")
    median = statistics.median(ratios)
    print(f"median: 1/{1 / median:.0f}; the bar is 1/{1 / BAR:.0f}")
    return 0 if median <= BAR else 1


if __name__ == "__main__":
    sys.exit(main())
