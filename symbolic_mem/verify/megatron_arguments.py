"""Arguments of Megatron-LM as the tables of a study, with Megatron-LM's own defaults."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from symbolic_mem.base.errors import BadInput

TRUE = ("true", True)
# Arguments that change nothing of what a rank holds, or that are said by others.
IDLE = (
    "attention-softmax-in-fp32",
    "bf16",
    "calculate-per-token-loss",
    "check-weight-hash-across-dp-replicas-interval",
    "deterministic-mode",
    "global-batch-size",
    "gpus",
    "hierarchical-context-parallel-sizes",
    "logging-level",
    "max-position-embeddings",
    "mock-data",
    "moe-aux-loss-coeff",
    "moe-grouped-gemm",
    "moe-permute-fusion",
    "moe-router-bias-update-rate",
    "moe-router-dtype",
    "moe-router-enable-expert-bias",
    "moe-router-group-topk",
    "moe-router-load-balancing-type",
    "moe-router-num-groups",
    "moe-router-pre-softmax",
    "moe-router-score-function",
    "moe-router-topk-scaling-factor",
    "moe-token-dispatcher-type",
    "mscale",
    "mscale-all-dim",
    "mtp-loss-scaling-factor",
    "no-bias-gelu-fusion",
    "no-check-for-nan-in-loss-and-grad",
    "no-create-attention-mask-in-dataloader",
    "no-gradient-accumulation-fusion",
    "no-rope-fusion",
    "norm-epsilon",
    "overlap-grad-reduce",
    "overlap-param-gather",
    "platform",
    "rank",
    "rotary-base",
    "rotary-percent",
    "rotary-scaling-factor",
    "tokenizer-type",
    "use-checkpoint-opt_param-scheduler",
    "use-flash-attn",
    "use-mcore-models",
    "use-tp-pp-dp-mapping",
    "verify-integrity",
)
# Arguments that change what a rank holds in a way that no study says yet.
UNSAID = {
    "apply-query-key-layer-scaling": "the modules of transformer-impl local",
    "cuda-graph-impl": "buffers of CUDA graphs",
    "defer-embedding-wgrad-compute": "gradients of the head that wait, 2 B S (d_model + V/t) bytes for each micro-batch,",
    "fine-grained-activation-offloading": "activations that are moved to the host",
    "fp16": "FP16 with its copies",
    "fp8-format": "FP8 weights and activations",
    "optimizer": "another optimizer",
    "recompute-granularity": "recomputation of single modules",
    "squared-relu": "a fused squared ReLU",
    "use-megatron-fsdp": "Megatron's own FSDP",
}
PADDED = 128  # rows, to whose multiple the plan pads the vocabulary for each rank
VOCABULARY = re.compile(r"\d+")
LAYOUT = re.compile(r"\(([^()]*)\)\*(\d+)|([a-zA-Z])\*(\d+)")


class Arguments:
    """The arguments of a run, each read once; what is left over at the end is not known, and refused."""

    def __init__(self, given: Mapping[str, Any]) -> None:
        self._given = dict(given)
        for key, what in UNSAID.items():
            if key in self._given:
                raise BadInput(f"{key} = {self._given[key]}: no study says {what} yet")

    def text(self, key: str, default: str = "") -> str:
        """Return an argument as it was given."""
        return str(self._given.pop(key, default))

    def flag(self, key: str) -> bool:
        """Whether a flag was given."""
        return self._given.pop(key, None) in TRUE

    def whole(self, key: str, default: int | None = None) -> int:
        """Return a whole number; raises `BadInput` for another, and where there is neither one nor a default."""
        given = self._given.pop(key, default)
        if isinstance(given, bool) or not (str(given).isascii() and str(given).isdecimal()):
            raise BadInput(f"{key} = {given!r} is no whole number")
        return int(given)

    def __contains__(self, key: str) -> bool:
        return key in self._given

    def done(self) -> None:
        """Refuse arguments that were not read."""
        left = sorted(set(self._given) - set(IDLE))
        if left:
            raise BadInput(f"the arguments {', '.join(left)} are not known")


def tables_of(given: Mapping[str, Any], devices: int) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """Return the model, the values and the plan that arguments of Megatron-LM on so many devices describe."""
    arguments = Arguments(given)
    if arguments.text("transformer-impl", "transformer_engine") != "transformer_engine":
        raise BadInput("transformer-impl is not transformer_engine: no study says what its modules keep yet")
    values = _axes(arguments, devices)
    batch = int(str(given.get("global-batch-size", 0)) or 0)
    model = _model(arguments, values)
    plan = _plan(arguments, values)
    each = values["B"] * values["n_fsdp"]
    if batch % each != 0 or not batch:
        raise BadInput(f"global-batch-size = {batch} is no multiple of {each} sequences, those of one micro-batch")
    values["n_micro"] = batch // each
    arguments.done()
    return model, values, plan


def _axes(arguments: Arguments, devices: int) -> dict[str, Any]:
    values: dict[str, Any] = {
        "n_tp": arguments.whole("tensor-model-parallel-size", 1),
        "n_pp": arguments.whole("pipeline-model-parallel-size", 1),
        "n_cp": arguments.whole("context-parallel-size", 1),
        "n_ep": arguments.whole("expert-model-parallel-size", 1),
    }
    cut = values["n_tp"] * values["n_pp"] * values["n_cp"]
    if devices % cut != 0:
        raise BadInput(f"{devices} devices are no multiple of {cut}, those that the model is divided over")
    return values | {
        "n_fsdp": devices // cut,
        "B": arguments.whole("micro-batch-size"),
        "S": arguments.whole("seq-length"),
        "L": arguments.whole("num-layers"),
        "d_model": arguments.whole("hidden-size"),
        "n_heads": arguments.whole("num-attention-heads"),
    }


def _model(arguments: Arguments, values: dict[str, Any]) -> dict[str, Any]:
    layer, bias = arguments.text("normalization", "LayerNorm") == "LayerNorm", not arguments.flag("disable-bias-linear")
    gated = arguments.flag("swiglu")
    model: dict[str, Any] = {
        "kind": "transformer",
        "profile": "te-cuda-bf16",
        "loss": "vocab-parallel",
        "norm": "layer" if layer else "rms",
        "norm_bias": layer,
        "qkv_bias": bias,
        "o_bias": bias,
        "mlp_bias": bias,
        "gated": gated,
        "tied": not arguments.flag("untie-embeddings-and-output-weights"),
        "residual_dropout": float(arguments.text("hidden-dropout", "0.1")),
        "embedding_dropout": 0.0,
        "attention_dropout": float(arguments.text("attention-dropout", "0.1")),
    }
    model["embedding_dropout"] = model["residual_dropout"]
    arguments.flag("apply-layernorm-1p")
    if not gated:
        model["activation"] = "gelu"
    if arguments.text("position-embedding-type", "learned_absolute") == "learned_absolute":
        model["position"] = "learned"
        values["n_pos"] = values["S"]
    if arguments.flag("qk-layernorm"):
        model["qk_norm"] = "head"
    kernel = arguments.text("attention-backend", "flash")
    model["kernel"] = {"unfused": "eager", "flash": "flash"}[kernel]
    if arguments.flag("cross-entropy-loss-fusion"):
        model["loss"] = (
            "vocab-parallel-te" if arguments.text("cross-entropy-fusion-impl") == "te" else "vocab-parallel-fused"
        )
    _heads(arguments, model, values)
    _experts(arguments, model, values)
    modules = arguments.whole("mtp-num-layers", 0)
    if modules:
        model["mtp"], values["L_mtp"] = True, modules
    values["V"] = _vocabulary(arguments, values["n_tp"])
    return model


def _vocabulary(arguments: Arguments, ranks: int) -> int:
    """The rows of the embedding; where they are padded to another multiple than the plan's, with their padding."""
    multiple = arguments.whole("make-vocab-size-divisible-by", PADDED)
    given = VOCABULARY.match(arguments.text("vocab-size"))
    if given is None:
        raise BadInput("vocab-size is not given: it is that of a file of the tokenizer")
    size = int(given[0]) + 1 if arguments.text("tokenizer-type") == "NullTokenizer" else int(given[0])
    if multiple == PADDED:
        return size
    whole = -(-size // (multiple * ranks)) * multiple * ranks
    if whole % (PADDED * ranks):
        raise BadInput(
            f"make-vocab-size-divisible-by = {multiple} pads to {whole} rows, and the plan to another number"
        )
    return whole


def _heads(arguments: Arguments, model: dict[str, Any], values: dict[str, Any]) -> None:
    values["d_ff"] = arguments.whole("ffn-hidden-size", 4 * values["d_model"])
    if arguments.flag("multi-latent-attention"):
        model["latent"] = True
        latent = {
            "q-lora-rank": "d_cq",
            "kv-lora-rank": "d_c",
            "qk-head-dim": "d_nope",
            "qk-pos-emb-head-dim": "d_rope",
        }
        values |= {ours: arguments.whole(theirs) for theirs, ours in latent.items()}
        values["d_v"] = arguments.whole("v-head-dim")
        arguments.text("kv-channels")
        return
    grouped = arguments.flag("group-query-attention")
    groups = arguments.whole("num-query-groups", 1)
    values["n_kv"] = groups if grouped else values["n_heads"]
    values["d_head"] = arguments.whole("kv-channels", values["d_model"] // values["n_heads"])


def _experts(arguments: Arguments, model: dict[str, Any], values: dict[str, Any]) -> None:
    tensor = arguments.whole("expert-tensor-parallel-size", 0)
    if "num-experts" not in arguments:
        return
    values |= {"E": arguments.whole("num-experts"), "k": arguments.whole("moe-router-topk", 2)}
    values["d_expert"] = arguments.whole("moe-ffn-hidden-size", values["d_ff"])
    values["n_etp"] = tensor or values["n_tp"]
    frequency = arguments.text("moe-layer-freq")
    dense = re.fullmatch(r"\(\[0\]\*(\d+)\+\[1\]\*\d+\)", frequency)
    if frequency and dense is None:
        raise BadInput(f"moe-layer-freq = {frequency!r}: only dense layers first, as in ([0]*1+[1]*15), are said")
    shared = arguments.whole("moe-shared-expert-intermediate-size", 0)
    model["experts"] = {
        "d_shared": shared,
        "dense_layers": int(dense[1]) if dense else 0,
        "expert_bias": model["mlp_bias"],
    }


def _plan(arguments: Arguments, values: dict[str, Any]) -> dict[str, Any]:
    stream = "megatron-sp" if arguments.flag("sequence-parallel") else "megatron-tp"
    context = "cp-all-to-all" if arguments.text("cp-comm-type", "p2p").startswith("a2a") else "cp"
    rows = [stream, context, "ep", "pp"]
    plan: dict[str, Any] = {}
    if arguments.flag("use-distributed-optimizer"):
        rows.insert(0, "distributed-optimizer")
        plan["instances"] = arguments.whole("num-distributed-optimizer-instances", 1)
    plan["preset"] = "+".join(rows)
    stages = values["n_pp"]
    layers: tuple[int, ...] = ()
    each = arguments.whole("num-layers-per-virtual-pipeline-stage", 0)
    chunks = arguments.whole("num-virtual-stages-per-pipeline-rank", 0)
    first, last = (arguments.whole(f"decoder-{end}-pipeline-num-layers", 0) for end in ("first", "last"))
    layout = arguments.text("pipeline-model-parallel-layout")
    if layout:
        layers = tuple(stage.count("t") for stage in _expanded(layout).split("|"))
        chunks = len(layers) // stages
    elif first or last:
        rest = values["L"] - first - last
        inner = stages - bool(first) - bool(last)
        between = (rest // inner,) * inner
        layers = ((first,) if first else ()) + between + ((last,) if last else ())
    elif each:
        chunks = values["L"] // (stages * each)
    if chunks > 1 and stages > 1:
        plan["schedule"] = "interleaved"
        values["n_chunks"] = chunks
        group = arguments.whole("microbatch-group-size-per-virtual-pipeline-stage", 0)
        if group:
            values["n_group"] = group
    if layers:
        plan["layers"] = list(layers)
    return plan


def _expanded(layout: str) -> str:
    """Write out the repetitions of a layout of Megatron-LM.

    >>> _expanded("Et*3|(tt|)*2L")
    'Ettt|tt|tt|L'
    """
    while True:
        shorter = LAYOUT.sub(lambda found: (found[1] or found[3]) * int(found[2] or found[4]), layout)
        if shorter == layout:
            return layout
        layout = shorter
