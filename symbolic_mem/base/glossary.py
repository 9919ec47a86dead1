"""What each symbol means, as words: read without SymPy, and made into symbols in `symbols.py`."""

from __future__ import annotations

from typing import NamedTuple


class Entry(NamedTuple):
    """How a symbol is written, `base` in italics and `sub` upright below it, what it means, and whether it is an input."""

    name: str
    base: str
    sub: str
    meaning: str
    unit: str = ""
    given: bool = True
    whole: bool = True


_ENTRIES = (
    # What is trained.
    Entry("B", "B", "", "batch size", "sequences"),
    Entry("S", "S", "", "sequence length", "tokens"),
    Entry("L", "L", "", "number of blocks (layers)"),
    Entry("V", "V", "", "vocabulary size", "tokens"),
    Entry("d_model", "d", "model", "width of the residual stream", "elements"),
    Entry("d_ff", "d", "ff", "inner width of the feed-forward layer", "elements"),
    Entry("n_heads", "n", "heads", "number of attention (query) heads"),
    Entry("n_kv", "n", "kv", "number of key-value heads"),
    Entry("d_head", "d", "head", "width of one attention head", "elements"),
    Entry("n_pos", "n", "pos", "number of learned positions", "tokens"),
    Entry("E", "E", "", "number of routed experts in a layer"),
    Entry("k", "k", "", "number of routed experts that a token visits"),
    Entry("n_shared", "n", "shared", "number of shared experts, which every token visits"),
    Entry("d_expert", "d", "expert", "inner width of one expert", "elements"),
    Entry("L_dense", "L", "dense", "number of layers without experts in a mixture-of-experts model"),
    Entry("L_mtp", "L", "mtp", "number of modules that each predict one token more (multi-token prediction)"),
    Entry("S_window", "S", "window", "tokens that a layer with a sliding window attends to", "tokens"),
    Entry("L_window", "L", "window", "number of layers with a sliding window"),
    Entry("d_c", "d", "c", "width of the compressed key-value vector (latent attention)", "elements"),
    Entry("d_cq", "d", "cq", "width of the compressed query vector (latent attention)", "elements"),
    Entry("d_nope", "d", "nope", "width of a query or key head without position (latent attention)", "elements"),
    Entry("d_rope", "d", "rope", "width of a query or key head with rotary position (latent attention)", "elements"),
    Entry("d_v", "d", "v", "width of a value head (latent attention)", "elements"),
    Entry("r_lora", "r", "lora", "rank of the adapters (LoRA)", "elements"),
    Entry("Psi", "Ψ", "", "number of parameters, of a model that is known only by it", "parameters"),
    # Where it lives.
    Entry("n_fsdp", "n", "fsdp", "number of devices that divide states or batch", "devices"),
    Entry("n_replica", "n", "replica", "number of replicas of the sharded group", "groups"),
    Entry("n_tp", "n", "tp", "degree of tensor parallelism", "devices"),
    Entry("n_pp", "n", "pp", "number of pipeline stages", "stages"),
    Entry(
        "n_cp",
        "n",
        "cp",
        "degree of context parallelism: devices that the tokens of a sequence are divided over",
        "devices",
    ),
    Entry(
        "n_dcp",
        "n",
        "dcp",
        "degree of decode context parallelism: ranks of tensor parallelism that cached tokens are divided over",
        "devices",
    ),
    Entry("n_ep", "n", "ep", "degree of expert parallelism", "devices"),
    Entry("n_etp", "n", "etp", "degree of tensor parallelism inside one routed expert", "devices"),
    Entry("f_load", "f", "load", "rows that the experts of the fullest rank get, in percent of a balanced load", "%"),
    Entry("n_chunks", "n", "chunks", "number of model chunks on each rank of a pipeline", "chunks"),
    Entry("n_group", "n", "group", "number of microbatches that go through a chunk together", "microbatches"),
    # What is derived. A derivation defines each of these before it uses it.
    Entry("P", "P", "", "number of parameters", "parameters", given=False),
    Entry("T", "T", "", "tokens in the batch, B S", "tokens", given=False),
    Entry("M_weights", "M", "weights", "memory of the weights", "bytes", given=False),
    Entry("M_gradients", "M", "gradients", "memory of the gradients", "bytes", given=False),
    Entry("M_optimizer", "M", "optimizer", "memory of the optimizer state", "bytes", given=False),
    Entry("M_static", "M", "static", "memory of weights, gradients and optimizer state", "bytes", given=False),
    Entry("M_activations", "M", "act", "memory of what is kept for the backward pass", "bytes", given=False),
    Entry("M_buffers", "M", "buffers", "memory of temporary buffers", "bytes", given=False),
    Entry("M_cache", "M", "cache", "memory of the caches of decoding", "bytes", given=False),
    Entry("M_total", "M", "total", "all memory that is counted", "bytes", given=False),
    Entry("M_device", "M", "device", "memory on one device", "bytes", given=False),
    Entry("M_divided", "M", "div", "the part of the memory that is divided over the devices", "bytes", given=False),
    Entry("M_fixed", "M", "fix", "the part of the memory that every device holds in full", "bytes", given=False),
    Entry("r_pp", "r", "pp", "number of the rank in its pipeline, from 0", given=False),
    Entry("C_mem", "C", "mem", "memory that counts on one device", "bytes", given=False),
    Entry("N_devices", "N", "", "number of devices", "devices", given=False),
    # What it must send, and how fast. Tokens are T = B S; the Scaling Book writes B for them.
    Entry("X", "X", "", "number of chips along the FSDP (data) axis of the mesh", "chips"),
    Entry("Y", "Y", "", "number of chips along the tensor-parallel axis of the mesh", "chips"),
    Entry("n_pod", "n", "pod", "number of pods, joined by the data-center network", "pods"),
    Entry("n_micro", "n", "micro", "number of microbatches of one step", "microbatches"),
    Entry("M_X", "M", "X", "number of physical mesh axes that the FSDP axis is laid over", "axes"),
    Entry("M_Y", "M", "Y", "number of physical mesh axes that the tensor-parallel axis is laid over", "axes"),
    Entry("C", "C", "", "floating-point operations per second of one chip", "FLOP/s", whole=False),
    Entry("W", "W", "", "bandwidth along one mesh axis, in the direction that is named", "bytes/s", whole=False),
    Entry("W_dcn", "W", "dcn", "bandwidth out of one chip to other pods, one way", "bytes/s", whole=False),
    Entry("b_sent", "b", "sent", "bytes of one element that is sent", "bytes", given=False, whole=False),
    Entry("alpha", "α", "", "intensity, C / W", "FLOP/byte", given=False, whole=False),
    Entry("F_layer", "F", "", "floating-point operations of a pass", "FLOP", given=False, whole=False),
    Entry(
        "phi", "φ", "", "floating-point operations of a forward pass, for one token", "FLOP", given=False, whole=False
    ),
    Entry("a_in", "a", "in", "elements that enter tensor-parallel layers, for one token", "elements", given=False),
    Entry("a_out", "a", "out", "elements that leave tensor-parallel layers, for one token", "elements", given=False),
    Entry("t_math", "t", "math", "time of the matrix products", "s", given=False, whole=False),
    Entry("t_fsdp", "t", "fsdp", "time of what is sent along the FSDP axis", "s", given=False, whole=False),
    Entry("t_tp", "t", "tp", "time of what is sent along the tensor-parallel axis", "s", given=False, whole=False),
    Entry("t_pods", "t", "pods", "time of what is sent between pods", "s", given=False, whole=False),
    Entry("t_comm", "t", "comm", "time of all that is sent", "s", given=False, whole=False),
    Entry("X_best", "X", "best", "the best FSDP axis at a fixed number of chips", "chips", given=False, whole=False),
    Entry("T_min", "T", "min", "tokens above which the chips are busy", "tokens", given=False, whole=False),
)
GLOSSARY = {entry.name: entry for entry in _ENTRIES}
BY_LETTER = {"α": "alpha", "Ψ": "Psi", "β": "beta", "φ": "phi"}
"""The names of symbols that documents print as a Greek letter."""


def listed() -> tuple[Entry, ...]:
    """Return the entries in their order, those that are given first.

    >>> listed()[0].meaning, listed()[-1].given
    ('batch size', False)
    """
    return tuple(sorted(_ENTRIES, key=lambda entry: not entry.given))
