"""Time of accounts of real models as ratios to `import sympy`: run as `python benchmarks/bench_models.py`.

Pairs as in bench_cli.py: one run of the floor and one of the command, one after the other; the median of the pairs'
ratios is held against the bar. Exit status 1 when a bar is missed.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from bench_cli import PAIRS, Bar, compiled, ratio

CONFIGS = Path(__file__).parents[1] / "symbolic_mem" / "library" / "studies" / "configs"
SIZES = ("--set", "B=2", "--set", "S=4096")


def account(name: str) -> tuple[str, ...]:
    return ("account", str(CONFIGS / f"{name}.json"), *SIZES, "--json")


BARS = (
    Bar(account("llama-3.1-8b"), "import sympy", 1.6),
    Bar(account("llama-3.1-405b"), "import sympy", 1.6),
    Bar(account("mixtral-8x7b"), "import sympy", 1.6),
    Bar(account("gpt2-xl"), "import sympy", 1.6),
    Bar(account("deepseek-v3"), "import sympy", 2.0),
    Bar(("compare", "llama-3.1-8b", "--profile", "hf-cuda-bf16", "--json"), "import sympy", 2.0),
)


def main(pairs: int = PAIRS) -> int:
    program = Path(sys.executable).with_name("symbolic-mem")
    for name in ("symbolic_mem", "sympy", "click"):
        compiled(name)
    missed = 0
    print(f"{'command':<38}  {'s':>6}  {'floor':>6}  {'ratio':>6}  {'bar':>5}")
    with tempfile.TemporaryDirectory() as folder:
        for bar in BARS:
            found, slow, fast = ratio(bar, program, folder, pairs)
            over = found > bar.most
            missed += over
            shown = " ".join(Path(word).name if word.endswith(".json") else word for word in bar.command[:2])
            print(
                f"{shown:<38}  {slow:6.3f}  {fast:6.3f}  {found:6.2f}  {bar.most:5.1f}{'  MISSED' if over else ''}",
                flush=True,
            )
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else PAIRS))
