"""From an `Architecture` and a `Profile` to a `Model`: embedding, blocks, final norm, head and loss."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import sympy as sp

from symbolic_mem.base.errors import BadInput
from symbolic_mem.models.architecture import Architecture
from symbolic_mem.models.attention import attention, by_parts_of_heads, given, heads_with_keys, two_kinds
from symbolic_mem.models.caches import caches
from symbolic_mem.models.cut import Cut
from symbolic_mem.models.ends import embedding, head, score
from symbolic_mem.models.freeze import frozen
from symbolic_mem.models.latent import latent_attention
from symbolic_mem.models.linear import needing
from symbolic_mem.models.losses import loss as loss_of
from symbolic_mem.models.losses import own_loss
from symbolic_mem.models.mlp import mlp
from symbolic_mem.models.moe import moe
from symbolic_mem.models.norms import norm, norm_operation
from symbolic_mem.models.notes import notes
from symbolic_mem.models.prediction import prediction
from symbolic_mem.models.profile import Profile, profile
from symbolic_mem.models.programs import Programs
from symbolic_mem.models.reached import not_reached, rotates
from symbolic_mem.models.stacks import bare, stacks
from symbolic_mem.models.tensors import PREDICTION, Layer, Model, Tensor

DEFAULT_PROFILE = "torch-cuda-bf16"
JAX = "jax"

CONV1D = ("gpt2",)  # families whose linear layers of a block are transformers' Conv1D


def transformer(
    architecture: Architecture | None = None, how: Profile | None = None, loss: str = "", cut: Cut | None = None
) -> Model:
    """Build the decoder-only transformer that `architecture` describes, with what the engine of profile `how` keeps.

    Layers and tensors have the same names under every profile. Without arguments: a Llama-like model in symbols, in
    plain PyTorch with FlashAttention and BF16. `loss` is one of `known_losses` in place of the profile's own; `BadInput`
    for a family whose loss has been measured in no other way than its own. With a `cut` it is what one rank has of it.

    >>> model = transformer()
    >>> [layer.name for layer in model]
    ['embedding', 'attention norm', 'attention', 'MLP norm', 'MLP', 'final norm', 'head and loss']
    """
    architecture = architecture or Architecture()
    how = (how or profile(DEFAULT_PROFILE)).for_family(architecture.family)
    if by_parts_of_heads(architecture, how):
        how = how.laid_out_by_heads()
    by_itself = how.loss in how.families.get(architecture.family, {})
    if loss and (by_itself or how.loss not in how.keeps):
        raise BadInput(
            f"{architecture.name} has a loss of its own under profile {how.name!r}: leave out loss = {loss!r}"
        )
    if loss and how.engine == JAX:
        raise BadInput(
            f"loss {loss!r} keeps what PyTorch does, and profile {how.name!r} has what JAX keeps; leave out one of them"
        )
    name = loss or ("" if by_itself else own_loss(how))
    how = loss_of(loss).of(how) if loss else how
    if cut is not None:
        architecture, how = cut.architecture(architecture), how.using(tokens=cut.tokens)
        core = f"attention {how.kernel}"
        if cut.twice and core in how.keeps:
            how = how.keeping(core, **{**how.keeps[core], "out_by_head": "compute"})
    kept = tuple(_kept(architecture, how, name)) if architecture.described else ()
    layers = tuple(_layers(architecture, how if architecture.described else replace(how, blank=True)))
    return Model(
        name=architecture.name,
        layers=frozen(layers, how.trained),
        work=_programs(architecture, how, name, layers[0]) if architecture.described else None,
        assumptions=(*architecture.assumptions, *kept),
        of_activations=kept,
        cached=caches(architecture, how.inside[1] if cut is None else cut.of("cached", how.inside[1])),
    )


def _programs(a: Architecture, how: Profile, name: str, embedded: Layer) -> Programs:
    unread = () if stacks(a, how)[0].reached else _embedding(a, how, reached=False).saved
    tables = tuple(one for one in unread if one not in embedded.saved)
    if not name:
        return Programs(a, how, tables=tables)
    loss = loss_of(name)
    return Programs(a, how, loss.gradients != 0, loss.chunks if loss.in_parts else 1, tables=tables)


def _kept(a: Architecture, how: Profile, loss: str) -> Iterator[str]:
    yield f"What is kept for the backward pass: {how.title}."
    if loss and a.head == "language model":
        yield f"Loss {loss}: {loss_of(loss).words_under(how)}."
    yield from notes(a, how, loss)
    yield from how.trained.said
    if a.experts is not None and any(how.trained.adapts(name, "experts") for name in ("W_gate", "W_gate_up", "W_down")):
        yield (
            "Each expert has adapters beside its own products. PEFT on transformers 5 adds them to the weights of all "
            "experts instead, and blocks keep the sums: adapters on experts.gate_up_proj and experts.down_proj."
        )


def _layers(a: Architecture, how: Profile) -> Iterator[Layer]:
    reached = stacks(a, how)[0].reached
    blocks = tuple(_blocks(a, how))
    embedded = _embedding(a, how, reached=reached)
    turned = any(rotates(a, one, blocks) for one in stacks(a, how))
    yield embedded if turned else replace(embedded, saved=())
    if a.embedding_norm:
        own = _norm(a, how, "embedding norm")
        yield own if reached else replace(own, saved=())
    yield from blocks
    if a.final_norm:
        yield _norm(a, how, "final norm")
    if a.head == "language model":
        yield _head(a, how, tied=a.tied)
        if a.mtp != 0:
            own = how if how.trained.layers is None else bare(how)
            mixture = _mlp(a, own) if a.experts is None else _moe(a, own)
            block = tuple(_block(a, own, PREDICTION, a.mtp, mixture))
            ends = (_norm(a, how, "final norm"), _head(a, how, tied=True))
            yield from prediction(a, how, block, ends)
    elif a.head != "none":
        yield score(how, a.labels, width=a.d_model, bias=a.head_bias, layers=2 if a.head == "reward" else 1)


def _embedding(a: Architecture, how: Profile, *, reached: bool) -> Layer:
    return embedding(
        how,
        vocabulary=a.vocabulary,
        width=a.d_model,
        n_pos=a.n_pos if a.position == "learned" else None,
        rotary_width=a.turned,
        dropout=a.embedding_dropout != 0 and reached,
        narrow=a.d_embed,
        without=_no_tables(a, how),
    )


def _blocks(a: Architecture, how: Profile) -> Iterator[Layer]:
    for one in stacks(a, how):
        block = tuple(_block(a, one.how, one.name, one.repeat, (_moe if one.experts else _mlp)(a, one.how)))
        yield from block if one.reached else not_reached(a, one, block)


def _no_tables(a: Architecture, how: Profile) -> tuple[str, ...]:
    """The rotary tables that an engine does not make, because no layer is of their kind, where it has two kinds."""
    if not two_kinds(how):
        return ()
    if a.window is None:
        return ("cos_local", "sin_local")
    return ("cos", "sin") if a.window.layers == a.layers else ()


def _block(a: Architecture, how: Profile, name: str, repeat: sp.Expr, feed_forward: Layer) -> Iterator[Layer]:
    """One block: each of its two parts with the norms before it, after it, or both."""
    entering = Tensor("residual stream", (*how.stream, a.d_model), bytes_per_element=how.residual)
    layers = tuple(_parts(a, how, feed_forward))
    kept = _reads_last(a, layers).keeps(entering)
    for layer in layers:
        weights = tuple(_stored(a, how, weight) for weight in layer.weights)
        yield replace(
            layer,
            weights=weights,
            repeat=repeat,
            block=name,
            enters=entering,
            given=given(a, how),
            stream=None if kept else entering,
        )


def _parts(a: Architecture, how: Profile, feed_forward: Layer) -> Iterator[Layer]:
    for part, what in ((_attention(a, how), "attention"), (feed_forward, "MLP")):
        layers = [part]
        if a.shared_norm:
            if what == "attention":
                layers.insert(0, _norm(a, how, "shared norm"))
        elif a.norm_place != "after":
            layers.insert(0, _norm(a, how, f"{what} norm", shared=a.parallel_residual and what == "MLP"))
        if a.norm_place != "before":
            output = f"{what} norm" if a.norm_place == "after" else f"{what} output norm"
            layers.append(_norm(a, how, output, given="compute"))
        yield from layers


def _reads_last(a: Architecture, layers: tuple[Layer, ...]) -> Layer:
    """The layer of a block that reads the residual stream to which its last product is added: that of its MLP, or what all read."""
    if a.parallel_residual or a.shared_norm:
        return layers[0]
    return layers[len(layers) // 2]


def _stored(a: Architecture, how: Profile, weight: Tensor) -> Tensor:
    """A weight of a block as the engine stores it: for the input and the output, where a linear layer is for output and input.

    Source: transformers 5.24, pytorch_utils.py: Conv1D.
    """
    if a.family not in CONV1D or not how.engine.startswith("hf-") or weight.group == "adapters":
        return weight
    return replace(weight, shape=weight.shape[::-1], turned=True) if len(weight.shape) == 2 else weight


def _head(a: Architecture, how: Profile, *, tied: bool) -> Layer:
    return head(
        how,
        vocabulary=a.vocabulary,
        width=a.d_model,
        tied=tied,
        bias=a.head_bias and not (tied and not a.tied),
        narrow=a.d_embed,
        logits=a.logits,
    )


def _norm(a: Architecture, how: Profile, name: str, *, given: str = "residual", shared: bool = False) -> Layer:
    """A norm of width d_model; if `shared`, another norm keeps the same input, unless each converts it."""
    size = how.row(norm_operation(a.norm)).get("input", "input")
    omit = ("input",) if shared and how.bytes(size, given) == how.residual else ()
    return norm(
        how,
        a.norm,
        name=name,
        width=a.d_model,
        rows=how.stream,
        gain=a.norm_gain,
        bias=a.norm_bias,
        given=given,
        omit=omit,
    )


def _producer(a: Architecture) -> str:
    return "residual" if a.norm_place == "after" else norm_operation(a.norm)


def _attention(a: Architecture, how: Profile) -> Layer:
    if a.latent is not None:
        return latent_attention(
            how,
            n_heads=a.n_heads,
            d_c=a.latent.d_c,
            d_cq=a.latent.d_cq,
            d_nope=a.latent.d_nope,
            d_rope=a.latent.d_rope,
            d_v=a.latent.d_v,
            width=a.d_model,
            norm_kind=a.norm,
            qkv_bias=a.qkv_bias,
            o_bias=a.o_bias,
            attention_dropout=a.attention_dropout != 0,
            producer=_producer(a),
        )
    return attention(
        how,
        n_heads=a.n_heads,
        n_kv=a.n_kv,
        d_head=a.d_head,
        width=a.d_model,
        rotary=a.position == "rotary",
        d_rotary=a.d_rotary,
        qkv_bias=a.qkv_bias,
        o_bias=a.o_bias,
        fused_qkv=a.fused_qkv,
        qk_norm=a.qk_norm,
        qk_norm_kind=a.norm,
        qk_norm_bias=a.qk_norm_bias,
        sinks=a.sinks,
        attention_dropout=a.attention_dropout != 0,
        dropout=a.residual_dropout != 0,
        heads_with_keys=heads_with_keys(a.n_kv, a.n_heads, a.values()),
        producer=_producer(a),
        projected=a.projected,
    )


def _mlp(a: Architecture, how: Profile) -> Layer:
    return mlp(
        how,
        a.activation,
        gated=a.gated,
        bias=a.mlp_bias,
        dropout=a.residual_dropout != 0,
        fused_gate=a.fused_gate,
        width=a.d_model,
        inner=a.d_ff,
        producer=_producer(a),
        keep_input=not a.shared_norm
        or not how.shares_input(_producer(a))
        or not needing(how, ("W_qkv",) if a.fused_qkv else ("W_q", "W_k", "W_v"), "attention"),
    )


def _moe(a: Architecture, how: Profile) -> Layer:
    assert a.experts is not None
    return moe(
        how,
        a.activation,
        experts=a.experts.experts,
        top_k=a.experts.top_k,
        d_expert=a.experts.d_expert,
        d_shared=a.experts.d_shared,
        width=a.d_model,
        gated=a.gated,
        fused_gate=a.fused_gate,
        router_bias=a.experts.router_bias,
        expert_bias=a.experts.expert_bias,
        correction=a.experts.correction_parameter,
        normalised=a.experts.normalised,
        shared_gate=a.experts.shared_gate,
        shared_bias=a.mlp_bias,
        routed_among=a.experts.routed_among,
        gathered=a.experts.gathered,
        load=a.experts.load,
        producer=_producer(a),
    )
