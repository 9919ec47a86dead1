"""Time of accounts of real models as ratios to `import sympy`: run as `python benchmarks/bench_models.py`.

A model is given by its config, and once by a folder of 30 files, of which the headers of 723 tensors are read and counted.

Pairs as in bench_cli.py: one run of the floor and one of the command, one after the other; the median of the pairs'
ratios is held against the bar. Exit status 1 when a bar is missed.
"""

from __future__ import annotations

import json
import math
import sys
import tempfile
from itertools import chain
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


D_MODEL, D_FF, LAYERS, KV, VOCABULARY = 8192, 28672, 80, 1024, 128256
LAYER = {
    "input_layernorm": (D_MODEL,),
    "post_attention_layernorm": (D_MODEL,),
    "self_attn.q_proj": (D_MODEL, D_MODEL),
    "self_attn.k_proj": (KV, D_MODEL),
    "self_attn.v_proj": (KV, D_MODEL),
    "self_attn.o_proj": (D_MODEL, D_MODEL),
    "mlp.gate_proj": (D_FF, D_MODEL),
    "mlp.up_proj": (D_FF, D_MODEL),
    "mlp.down_proj": (D_MODEL, D_FF),
}
FILES = 30


def checkpoint(folder: Path) -> Path:
    """The folder of a model of 70 billion weights: all is there but the weights themselves, which are holes in its files."""
    folder.mkdir()
    (folder / "config.json").write_text((CONFIGS / "llama-3.1-70b.json").read_text(encoding="utf-8"))
    ends = {"model.embed_tokens": (VOCABULARY, D_MODEL), "model.norm": (D_MODEL,), "lm_head": (VOCABULARY, D_MODEL)}
    layers = ((f"model.layers.{i}.{name}", shape) for i in range(LAYERS) for name, shape in LAYER.items())
    weights = list(chain(ends.items(), layers))
    index = {}
    for number in range(FILES):
        name, table, at = f"model-{number + 1:05}-of-{FILES:05}.safetensors", {}, 0
        for weight, shape in weights[number::FILES]:
            size = 2 * math.prod(shape)
            table[f"{weight}.weight"] = {"dtype": "BF16", "shape": shape, "data_offsets": [at, at + size]}
            at += size
        header = json.dumps(table).encode()
        with (folder / name).open("wb") as file:
            file.write(len(header).to_bytes(8, "little") + header)
            file.truncate(8 + len(header) + at)
        index |= dict.fromkeys(table, name)
    (folder / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": index}))
    return folder


def main(pairs: int = PAIRS) -> int:
    program = [str(Path(sys.executable).with_name("symbolic-mem"))]
    for name in ("symbolic_mem", "sympy", "click"):
        compiled(name)
    missed = 0
    print(f"{'command':<38}  {'s':>6}  {'floor':>6}  {'ratio':>6}  {'bar':>5}")
    with tempfile.TemporaryDirectory() as folder:
        stored = checkpoint(Path(folder) / "llama-3.1-70b")
        for bar in (*BARS, Bar(("account", str(stored), *SIZES, "--json"), "import sympy", 1.5)):
            found, slow, fast = ratio(bar, program, folder, pairs)
            over = found > bar.most
            missed += over
            shown = " ".join(Path(word).name for word in bar.command[:2])
            print(
                f"{shown:<38}  {slow:6.3f}  {fast:6.3f}  {found:6.2f}  {bar.most:5.1f}{'  MISSED' if over else ''}",
                flush=True,
            )
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else PAIRS))
