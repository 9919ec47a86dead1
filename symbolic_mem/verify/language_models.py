"""Language models of the installed `transformers`, made from an `Architecture` and the numbers of a run."""

from __future__ import annotations

from typing import Any

from symbolic_mem.base import symbols as s
from symbolic_mem.base.errors import BadInput, MissingProgram
from symbolic_mem.models.architecture import Architecture
from symbolic_mem.models.families import families
from symbolic_mem.verify.run import Run

SIZES = {
    "layers": s.L,
    "d_model": s.d_model,
    "d_ff": s.d_ff,
    "n_heads": s.n_heads,
    "n_kv": s.n_kv,
    "d_head": s.d_head,
    "vocabulary": s.V,
    "n_pos": s.n_pos,
    "experts": s.E,
    "top_k": s.k,
    "d_expert": s.d_expert,
    "n_shared": s.n_shared,
    "first_dense": s.L_dense,
    "d_c": s.d_c,
    "d_cq": s.d_cq,
    "d_nope": s.d_nope,
    "d_rope": s.d_rope,
    "d_v": s.d_v,
}
FUSED = "fused"  # a processor would choose another kernel, and fake tensors a mask
ACTIVATIONS = {"gelu_tanh": "gelu_pytorch_tanh"}


def config_of(architecture: Architecture, run: Run) -> dict[str, Any]:
    """Return the fields of the ``config.json`` that describes an architecture at the sizes of a run.

    Raises `BadInput` for an architecture of no known family.
    """
    if architecture.family not in families().known:
        raise BadInput(
            f"{architecture.name} is of no family that transformers builds; give the model as its config.json"
        )
    family = families().known[architecture.family]
    fields = {}
    for what, symbol in SIZES.items():
        if family.reads(what) and symbol in run.sizes:
            fields[family.keys[what][0]] = run.sizes[symbol]
    choices: dict[str, Any] = {
        "tied": architecture.tied,
        "attention_bias": architecture.qkv_bias,
        "mlp_bias": architecture.mlp_bias,
        "parallel_residual": architecture.parallel_residual,
        "activation": ACTIVATIONS.get(architecture.activation, architecture.activation),
        "attention_dropout": float(architecture.attention_dropout),
        "residual_dropout": float(architecture.residual_dropout),
        "embedding_dropout": float(architecture.embedding_dropout),
    }
    return fields | {family.keys[what][0]: value for what, value in choices.items() if family.reads(what)}


def language_model(run: Run) -> tuple[Any, Any]:
    """Build the model of a run with its loss, and find its blocks; attention is FlashAttention, unless it is eager.

    Raises `MissingProgram` where `transformers` is not installed.
    """
    import torch

    try:
        from transformers import CONFIG_MAPPING, AttentionInterface, AutoModelForCausalLM
    except ImportError:
        raise MissingProgram(
            "verify builds models from config.json with transformers, which is not installed; "
            "pip install 'symbolic-mem[verify]'"
        ) from None
    assert run.architecture is not None
    config = CONFIG_MAPPING[run.architecture.family](**config_of(run.architecture, run), use_cache=False)
    if run.kernel == "eager":
        config._attn_implementation = "eager"
    else:
        AttentionInterface.register(FUSED, _flash)
        config._attn_implementation = FUSED
    torch.set_default_dtype(getattr(torch, run.parameters))
    try:
        model = AutoModelForCausalLM.from_config(config, dtype=getattr(torch, run.parameters))
    finally:
        torch.set_default_dtype(torch.float32)
    model.train()
    blocks = max((one for one in model.modules() if isinstance(one, torch.nn.ModuleList)), key=len)
    if any(run.recomputed):
        model.gradient_checkpointing_enable({"use_reentrant": False})
        for block, again in zip(blocks, run.recomputed, strict=True):
            block.gradient_checkpointing = again
    return model, blocks


def _flash(
    module: Any, query: Any, key: Any, value: Any, attention_mask: Any, dropout: float = 0.0, **options: Any
) -> tuple[Any, None]:
    """Attend as FlashAttention on an accelerator does, without a mask, with keys and values for every query head."""
    import torch

    times = query.shape[1] // key.shape[1]
    key, value = (_repeated(one, times) for one in (key, value))
    attend = torch.ops.aten._scaled_dot_product_flash_attention
    out = attend(query, key, value, dropout, True, scale=options.get("scaling"))[0]
    return out.transpose(1, 2).contiguous(), None


def _repeated(heads: Any, times: int) -> Any:
    if times == 1:
        return heads
    samples, count, tokens, width = heads.shape
    return heads[:, :, None].expand(samples, count, times, tokens, width).reshape(samples, -1, tokens, width)
