"""Cases of torchtune: published tables of the memory of fine-tuning, beside what a step of its recipes holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from symbolic_mem.base.errors import BadInput
from symbolic_mem.verify.cases import Case, Keys
from symbolic_mem.verify.llamas import SHAPES, TIED, peak_in_gib
from symbolic_mem.verify.stack_cases import Said, study_of

_ALL = ["q_proj", "k_proj", "v_proj", "output_proj", "gate_proj", "up_proj", "down_proj"]
# The adapters of the configurations when the tables were printed: torchtune at 30b8519, and at 1814feb for the table of flags.
ADAPTERS: Mapping[Any, Mapping[str, Any]] = {
    ("LoRA", "Llama 3.1 8B"): {"adapters": ["q_proj", "v_proj"], "rank": 8},
    ("LoRA", "Llama 3.1 70B"): {"adapters": ["q_proj", "k_proj", "v_proj"], "rank": 16},
    ("QLoRA", "Llama 3.1 8B"): {"adapters": _ALL, "rank": 8},
    ("QLoRA", "Llama 3.1 405B"): {"adapters": _ALL, "rank": 16},
}
_OF_3B = {"adapters": ["q_proj", "v_proj", "output_proj", "gate_proj", "up_proj", "down_proj"], "rank": 64}
PRESETS = {"Full": "torchtune-full", "LoRA": "torchtune-lora", "QLoRA": "torchtune-qlora"}
# What the configuration of a row keeps on the host: the pages of its optimizer where a card is too small for them.
HOSTED: Mapping[Any, list[str]] = {("Full", "1x 4090"): ["optimizer"]}
SHARDS: Mapping[Any, int] = {"1x 4090": 1, "1x A6000": 1, "8x A100": 8}
_BF16 = {"preset": "pure-bf16", "recompute": "full"}
_FUSED = _BF16 | {"foreach": False, "optimizer_in_backward": True}
STEPS: Mapping[str, Mapping[str, Any]] = {
    "+ activation checkpointing": _BF16 | {"foreach": False, "gradients_persist": False},
    "+ optimizer in backward": _FUSED,
    "+ activation offloading": _FUSED | {"offload": ["activations"]},
    "+ 8-bit AdamW": _BF16 | {"optimizer": "adamw-8bit", "optimizer_in_backward": True, "offload": ["activations"]},
    "LoRA (packed, compile, chunked CE, AC, offload)": {
        "preset": "torchtune-lora",
        "recompute": "full",
        "offload": ["activations"],
        "trained": _OF_3B,
        "gradients_persist": False,
    },
}
UNSAID = {
    "baseline, padded dataset": "the tokens of a batch are those of its data",
    "+ packed": "what its loss holds is not printed beside the table",
    "+ compile": "what a compiled block keeps is not described",
}
_TOLD = ("gpu", "precision", "cumulative", "packed", "compile")


def tune_peak(case: Case) -> Said:
    """``tune``: the peak of a device in GiB; the loss is taken in eight compiled parts, and blocks are recomputed."""
    given = case.inputs
    if "S" not in given:
        raise BadInput("S is not given, and the memory of a step is that of its tokens")
    if given.get("technique") in UNSAID:
        raise BadInput(f"technique = {given['technique']!r}: {UNSAID[given['technique']]}")
    if given.get("gpu") == "1x A6000":  # else it would hold what the same method does on a 4090
        raise BadInput("a run on an A6000 recomputes nothing, and what a compiled block keeps is not described")
    keys = Keys(case, dict.fromkeys((*_TOLD, "method", "technique", "recipe")))
    name, method, gpu = keys.take("model", *SHAPES), keys.take("method", None, *PRESETS), given.get("gpu")
    values = dict(SHAPES[name]) | {ours: keys.whole(theirs) for theirs, ours in (("batch", "B"), ("S", "S"))}
    technique = keys.take("technique", None, *STEPS)
    for key in (*_TOLD, "recipe"):
        keys.take(key, *(SHARDS if key == "gpu" and method else ()))
    keys.done()
    if (method is None) == (technique is None):
        raise BadInput("give a method, such as LoRA, or a technique of the table of flags")
    recipe = {"preset": PRESETS[method], "recompute": "full"} if method else dict(STEPS[technique])
    if method != "Full" and method:
        recipe |= {"trained": ADAPTERS[method, name], "gradients_persist": False}
    if (method, gpu) in HOSTED:
        recipe["offload"] = HOSTED[method, gpu]
    shards = SHARDS[gpu] if method else 1
    tables = {
        "model": {
            "kind": "transformer",
            "profile": "torch-cuda-bf16",
            "loss": "chunked-compiled:8",
            "tied": name in TIED,
        },
        "values": values | ({"n_fsdp": shards} if shards > 1 else {}),
        "recipe": recipe,
        "plan": {"preset": "fsdp2" if shards > 1 else "one-device"},
    }
    return peak_in_gib(study_of(case, tables)), tables
