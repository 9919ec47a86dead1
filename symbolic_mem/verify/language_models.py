"""Language models of the installed `transformers`, made from an `Architecture` and the numbers of a run."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator
from typing import Any

from symbolic_mem.base import symbols as s
from symbolic_mem.base.errors import BadInput, MissingProgram
from symbolic_mem.models.architecture import Architecture
from symbolic_mem.models.families import families
from symbolic_mem.verify.halves import in_pairs
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
        "normalised": architecture.experts is not None and architecture.experts.normalised,
    }
    if architecture.experts is not None and family.reads("d_shared"):
        choices["d_shared"] = int(architecture.experts.d_shared.xreplace(dict(architecture.numbers)))
    if architecture.position == "rotary" and family.reads("rotary_part"):
        part = architecture.d_rotary or architecture.d_head
        choices["rotary_part"] = float((part / architecture.d_head).xreplace(dict(architecture.numbers)))
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
    config = CONFIG_MAPPING[run.architecture.family](
        **config_of(run.architecture, run), use_cache=False, pad_token_id=None
    )
    if run.kernel != "eager":
        AttentionInterface.register(FUSED, ATTEND.get(run.kernel, _flash))
    config._attn_implementation = "eager" if run.kernel == "eager" else FUSED
    torch.set_default_dtype(getattr(torch, run.parameters))
    try:
        model = AutoModelForCausalLM.from_config(config, dtype=getattr(torch, run.parameters))
    finally:
        torch.set_default_dtype(torch.float32)
    model.train()
    if run.loss:
        model.loss_function = loss_by_name(run.loss)
    blocks = max((one for one in model.modules() if isinstance(one, torch.nn.ModuleList)), key=len)
    if run.half:
        model.model.layers = in_pairs(blocks)
    elif any(run.recomputed):
        enable = getattr(model, "activation_checkpointing_enable", None) or model.gradient_checkpointing_enable
        enable({"use_reentrant": False} | ({"context_fn": keeping(run.products)} if run.products else {}))
        for block, again in zip(blocks, run.recomputed, strict=True):
            block.gradient_checkpointing = again
    return model, blocks


def loss_by_name(name: str) -> Callable[..., Any]:
    """Return a loss of losses.toml as a model of transformers calls it; logits that a caller holds are there until their gradient is.

    The labels are those that are given, shifted already. A loss in parts adds up those of parts of the tokens.
    """
    from torch.nn.functional import cross_entropy

    kind, _, parts = name.partition(":")

    def loss(logits: Any, labels: Any, vocab_size: int, **others: Any) -> Any:
        logits, labels = logits.view(-1, vocab_size), labels.view(-1)
        if kind in ("fp32-held", "chunked"):
            held = [logits]
            logits.register_hook(lambda gradient: held.clear())
        if kind != "chunked":
            return cross_entropy(logits if kind == "bf16" else logits.float(), labels)
        pairs = zip(logits.chunk(int(parts)), labels.chunk(int(parts)), strict=True)
        return sum(cross_entropy(part.float(), own, reduction="sum") for part, own in pairs) / labels.numel()

    return loss


def keeping(every: int) -> Any:
    """Contexts of a checkpoint that keeps results of products and of attention, but for one of `every` so many products."""
    import torch
    from torch.utils.checkpoint import CheckpointPolicy, create_selective_checkpoint_contexts

    aten = torch.ops.aten
    products = (aten.mm.default, aten.addmm.default)
    attention = (
        aten._scaled_dot_product_flash_attention.default,
        aten._scaled_dot_product_efficient_attention.default,
    )

    def contexts() -> Any:
        seen = {False: 0, True: 0}

        def policy(context: Any, operation: Any, *args: Any, **kwargs: Any) -> Any:
            again = context.is_recompute
            seen[again] += operation in products
            kept = operation in attention or (operation in products and (every == 1 or seen[again] % every != 0))
            return CheckpointPolicy.MUST_SAVE if kept else CheckpointPolicy.PREFER_RECOMPUTE

        return create_selective_checkpoint_contexts(policy)

    return contexts


@contextlib.contextmanager
def as_accelerated() -> Generator[None]:
    """Let PyTorch work as on an accelerator: dropout is one kernel with a mask of bytes, LayerNorm has statistics of FP32."""
    import torch
    from torch.utils._python_dispatch import TorchDispatchMode

    original = torch.nn.functional.dropout

    def dropout(x: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
        return torch.ops.aten.native_dropout(x, p, True)[0] if training and p else x

    class Statistics(TorchDispatchMode):
        def __torch_dispatch__(self, operation: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            found = operation(*args, **(kwargs or {}))
            if operation is not torch.ops.aten.native_layer_norm.default:
                return found
            return (found[0], *(one.to(torch.float32) for one in found[1:]))

    torch.nn.functional.dropout = dropout  # a mode would be off while the backward pass computes a block again
    try:
        with Statistics():
            yield
    finally:
        torch.nn.functional.dropout = original


def _flash(
    module: Any, query: Any, key: Any, value: Any, attention_mask: Any, dropout: float = 0.0, **options: Any
) -> tuple[Any, None]:
    """Attend as FlashAttention on an accelerator does, without a mask, with keys and values for every query head."""
    import torch

    attend = torch.ops.aten._scaled_dot_product_flash_attention
    # Both have a name until the function returns, as in sdpa_attention_forward.
    keys, values = _heads(query, key, value)
    return _by_tokens(attend(query, keys, values, dropout, True, scale=options.get("scaling"))[0])


def _grouped(
    module: Any, query: Any, key: Any, value: Any, attention_mask: Any, dropout: float = 0.0, **options: Any
) -> tuple[Any, None]:
    """Attend as FlashAttention does that is given keys and values of fewer heads: enable_gqa, which takes no mask."""
    import torch

    attend = torch.ops.aten._scaled_dot_product_flash_attention
    return _by_tokens(attend(query, key, value, dropout, True, scale=options.get("scaling"))[0])


def _efficient(
    module: Any, query: Any, key: Any, value: Any, attention_mask: Any, dropout: float = 0.0, **options: Any
) -> tuple[Any, None]:
    """Attend as the memory-efficient kernel of PyTorch on an accelerator does."""
    import torch

    attend = torch.ops.aten._scaled_dot_product_efficient_attention
    keys, values = _heads(query, key, value)
    return _by_tokens(attend(query, keys, values, None, True, dropout, True, scale=options.get("scaling"))[0])


def _by_tokens(out: Any) -> tuple[Any, None]:
    return out.transpose(1, 2).contiguous(), None


def _heads(query: Any, key: Any, value: Any) -> tuple[Any, Any]:
    """Keys and values for every query head."""
    times = query.shape[1] // key.shape[1]
    return _repeated(key, times), _repeated(value, times)


def _repeated(heads: Any, times: int) -> Any:
    if times == 1:
        return heads
    samples, count, tokens, width = heads.shape
    return heads[:, :, None].expand(samples, count, times, tokens, width).reshape(samples, -1, tokens, width)


ATTEND = {"flash_gqa": _grouped, "efficient": _efficient}
