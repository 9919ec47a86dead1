"""The sizes of Llama 3's models, which tables name without them, and the peak of a study as such tables print it."""

from __future__ import annotations

from collections.abc import Mapping

from symbolic_mem.study.study import Study

GIB = 2**30
_OF_3 = {"n_kv": 8, "d_head": 128, "V": 128_256}
SHAPES: Mapping[str, Mapping[str, int]] = {
    "Llama 3.1 8B": _OF_3 | {"L": 32, "d_model": 4096, "d_ff": 14336, "n_heads": 32},
    "Llama 3.1 70B": _OF_3 | {"L": 80, "d_model": 8192, "d_ff": 28672, "n_heads": 64},
    "Llama 3.1 405B": _OF_3 | {"L": 126, "d_model": 16384, "d_ff": 53248, "n_heads": 128},
    "Llama 3.2 3B": _OF_3 | {"L": 28, "d_model": 3072, "d_ff": 8192, "n_heads": 24},
}
TIED = ("Llama 3.2 3B",)


def peak_in_gib(study: Study) -> float:
    """The most that one device holds at an instant of a step, in GiB."""
    return float(max(one.memory.placed(study.placement).at(study.numbers) for one in study.timeline) / GIB)
