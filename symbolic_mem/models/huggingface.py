"""From a Hugging Face ``config.json`` to an `Architecture`: a local file, no network, no other library."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import sympy as sp

from symbolic_mem.base import symbols as s
from symbolic_mem.base.errors import BadInput, shown
from symbolic_mem.base.outside import read_content
from symbolic_mem.models.architecture import Architecture, Experts, Latent
from symbolic_mem.models.fields import Fields
from symbolic_mem.models.json_file import parse_json
from symbolic_mem.models.patterns import dense_layers, experts_lead
from symbolic_mem.models.positions import reach, rotations
from symbolic_mem.models.reading import assumptions, head, not_read
from symbolic_mem.models.recognise import Named, recognise
from symbolic_mem.models.unread import inert
from symbolic_mem.models.windows import windows


def read_config(path: str | Path) -> Architecture:
    """Read the architecture that a ``config.json`` describes; a field that it lacks has its family's default.

    Raises `BadInput` for a file that cannot be read, a family that is not known (the message names the known ones)
    and a value that no model of the family can have.
    """
    return parse_config(read_content(path, "JSON"), str(path))


def parse_config(content: bytes, where: str) -> Architecture:
    """Read the architecture from the `content` of a ``config.json`` that messages call `where`.

    >>> config = b'{"model_type": "llama", "hidden_size": 4096, "head_dim": 128, "num_key_value_heads": 8}'
    >>> model = parse_config(config, "config.json")
    >>> model.values()[s.d_model], model.values()[s.L], model.n_kv, model.tied
    (4096, 32, n_kv, False)
    """
    where = shown(where)
    return architecture_of(parse_json(content, where, inert()), where)


def architecture_of(table: dict[str, Any], where: str, like: str | None = None, *, mtp: bool = False) -> Architecture:
    """Read the architecture from the fields of a config, as the family `like` if it is given; with `mtp` all that it predicts."""
    named = recognise(table, where, like)
    for key in named.family.refuses:
        if table.get(key):
            raise BadInput(f"{where}: {key} makes another model of {named.family.model_type}, which is not described")
    return _architecture(Fields(table, named.family, where), named, like, mtp)


_DROPOUTS = ("attention_dropout", "residual_dropout", "embedding_dropout")
_IN_EXPERTS = ("router_bias", "expert_bias", "correction_bias", "correction_parameter", "shared_gate")


def _architecture(fields: Fields, named: Named, like: str | None, mtp: bool) -> Architecture:
    family = fields.family
    facts = dict(family.facts)
    of_experts = {name: facts.pop(name, False) for name in (*_IN_EXPERTS, "shared_experts")}
    layers, _ = fields.size("layers", s.L), fields.size("vocabulary", s.V)
    fields.size("d_model", s.d_model)
    d_ff = fields.size("d_ff", s.d_ff, rule=4 * s.d_model) / (2 if facts.pop("halves", False) else 1)
    fields.size("n_heads", s.n_heads)
    latent = _latent(fields)
    n_kv = _key_value_heads(fields)
    d_head = latent.d_nope + latent.d_rope if latent else fields.size("d_head", s.d_head, s.d_model / s.n_heads)
    _check_heads(fields, n_kv, d_head)
    _attention(fields, facts, d_head)
    _norms(fields, facts)
    _ends(fields, facts, mtp)
    if family.reads("activation"):
        facts["activation"] = fields.activation()
    dropouts = {what: fields.probability(what) for what in _DROPOUTS if family.reads(what)}
    experts = _experts(fields, d_ff, of_experts)
    tied = fields.choice("tied")
    facts |= head(fields, named.head, facts.pop("head_bias", False))
    window, sizes = windows(fields.table, family.model_type, int(fields.numbers[s.L]), fields.where)
    fields.numbers |= sizes
    as_it_is = like is None and facts.pop("described", True)
    return Architecture(
        name=family.model_type,
        family=family.keeps_as,
        layers=layers,
        d_ff=d_ff,
        n_kv=n_kv,
        d_head=d_head,
        latent=latent,
        window=window,
        experts=experts,
        tied=tied,
        described=family.describes and as_it_is,
        passes=as_it_is,
        numbers=tuple(fields.numbers.items()),
        reach=reach(fields.table),
        rotations=rotations(fields.table),
        assumptions=assumptions(fields, named, tied, like),
        unread=not_read(fields, like),
        **facts,
        **dropouts,
    )


def _key_value_heads(fields: Fields) -> sp.Expr:
    """One key-value head if the family's config says so, as many as there are queries, or a number of their own."""
    family = fields.family
    if family.reads("multi_query") and not (family.reads("grouped") and fields.choice("grouped")):
        return sp.S.One if fields.choice("multi_query") else s.n_heads
    return fields.size("n_kv", s.n_kv, rule=s.n_heads)


def _attention(fields: Fields, facts: dict[str, Any], d_head: sp.Expr) -> None:
    """Add what the fields say of biases, of norms of queries and keys, and of positions."""
    family = fields.family
    if family.reads("attention_bias"):
        facts["qkv_bias"] = fields.choice("attention_bias")
        facts.setdefault("o_bias", facts["qkv_bias"])
    for name in ("o_bias", "mlp_bias", "parallel_residual"):
        if family.reads(name):
            facts[name] = fields.choice(name)
    if family.reads("qk_norm") and not fields.choice("qk_norm"):
        facts |= {"qk_norm": "", "qk_norm_bias": False}
    if family.reads("alibi") and fields.choice("alibi"):
        facts["position"] = "alibi"
    if family.reads("n_pos"):
        fields.size("n_pos", s.n_pos)
        facts["n_pos"] = s.n_pos + facts.pop("extra_positions", 0)
    if family.reads("d_rotary"):
        facts["d_rotary"] = sp.Integer(fields.whole("d_rotary"))
    if family.reads("rotary_part") and (part := fields.fraction("rotary_part")) != 1:
        facts["d_rotary"] = sp.floor(part * d_head.xreplace(fields.numbers))


def _norms(fields: Fields, facts: dict[str, Any]) -> None:
    """Add what the fields say of the norms of a block, and of the one after the last block."""
    family = fields.family
    if facts.pop("one_norm_if_parallel", False):
        facts["shared_norm"] = facts["parallel_residual"]
    if family.reads("norms"):
        value = fields.find("norms")[1]
        two = fields.choice("grouped") if value is None else fields.whole("norms") == 2
        facts["shared_norm"] = facts["parallel_residual"] and not two
    if family.reads("norm_gain") and not fields.choice("norm_gain"):
        facts |= {"norm_gain": False, "norm_bias": False}
    if family.reads("norm_before") and not fields.choice("norm_before"):
        facts |= {"final_norm": False, "described": False}
        fields.notes.append(f"{fields.name('norm_before')} is false: what its blocks keep is not described.")


def _ends(fields: Fields, facts: dict[str, Any], mtp: bool) -> None:
    """Add what the fields say of the embedding, of the head, and of modules that are not built."""
    family = fields.family
    if family.reads("head_bias"):
        facts["head_bias"] = fields.choice("head_bias")
    if family.reads("d_embed") and fields.find("d_embed")[1] is not None:
        width = fields.whole("d_embed")
        if width != fields.numbers[s.d_model]:
            facts |= {"d_embed": sp.Integer(width), "described": False}
            fields.notes.append(f"{fields.name('d_embed')} is not the width of the blocks: two projections join them.")
    if family.reads("mtp") and (modules := fields.whole("mtp", 0)) and mtp:
        facts["mtp"] = s.L_mtp
        fields.numbers[s.L_mtp] = sp.Integer(modules)
    elif family.reads("mtp") and modules:
        fields.notes.append(
            f"The module for multi-token prediction is not counted ({fields.name('mtp')} = {modules}): "
            "an engine has it only where it adds it; mtp = true in [model] counts it."
        )


def _latent(fields: Fields) -> Latent | None:
    if not fields.family.reads("d_c"):
        return None
    names = {"d_c": s.d_c, "d_nope": s.d_nope, "d_rope": s.d_rope, "d_v": s.d_v}
    sizes = {name: fields.size(name, symbol) for name, symbol in names.items()}
    key, query = fields.find("d_cq")
    if key is not None and query is None:
        fields.notes.append(f"{key} is null: queries are not compressed.")
        return Latent(d_cq=None, **sizes)
    return Latent(d_cq=fields.size("d_cq", s.d_cq), **sizes)


def _experts(fields: Fields, d_ff: sp.Expr, facts: dict[str, Any]) -> Experts | None:
    if not fields.family.reads("experts"):
        return None
    fields.size("experts", s.E), fields.size("top_k", s.k)
    if fields.numbers[s.k] > fields.numbers[s.E]:
        fields.refuse("top_k", f"is {fields.numbers[s.k]}, more than the {fields.numbers[s.E]} experts that there are")
    d_expert = fields.size("d_expert", s.d_expert) if fields.family.reads("d_expert") else d_ff
    shared = _shared(fields, d_expert, facts["shared_experts"])
    dense, layers = dense_layers(fields), int(fields.numbers[s.L])
    if dense == layers:
        for symbol in (s.E, s.k, s.d_expert, s.n_shared):
            fields.numbers.pop(symbol, None)
        fields.notes.append("Every layer is dense: no layer has experts.")
        return None
    if dense:
        fields.numbers[s.L_dense] = sp.Integer(dense)
    some = "Of the $L$ layers $L_dense$ are dense, and each other one" if dense else "Each of the $L$ layers"
    fields.notes.append(f"{some} has $E$ experts, of which a token visits $k$.")
    if facts["correction_bias"]:
        fields.notes.append("The bias that balances the experts is a buffer, not a parameter.")
    return Experts(
        d_expert=d_expert,
        d_shared=shared,
        dense_layers=s.L_dense if dense else sp.S.Zero,
        leads=dense != 0 and experts_lead(fields),
        router_bias=facts["router_bias"],
        expert_bias=facts["expert_bias"],
        correction_bias=facts["correction_bias"],
        correction_parameter=facts["correction_parameter"],
        normalised=not fields.family.reads("normalised") or fields.choice("normalised"),
        shared_gate=facts["shared_gate"],
    )


def _shared(fields: Fields, d_expert: sp.Expr, always: int) -> sp.Expr:
    """The inner width of the shared experts together."""
    if fields.family.reads("n_shared"):
        key, value = fields.find("n_shared")
        return sp.S.Zero if key and value is None else fields.size("n_shared", s.n_shared, least=0) * d_expert
    if fields.family.reads("d_shared"):
        return sp.Integer(fields.whole("d_shared", 0))
    return int(always) * d_expert


def _check_heads(fields: Fields, n_kv: sp.Expr, d_head: sp.Expr) -> None:
    width, heads = fields.numbers[s.d_model], fields.numbers[s.n_heads]
    if d_head == s.d_model / s.n_heads and width % heads:
        remedy = f"; give {fields.family.keys['d_head'][0]}" if fields.family.reads("d_head") else ""
        fields.refuse("n_heads", f"is {heads}, which does not divide {fields.name('d_model')} {width}{remedy}")
    if n_kv == s.n_kv and heads % fields.numbers[s.n_kv]:
        fields.refuse("n_kv", f"is {fields.numbers[s.n_kv]}, which does not divide the {heads} query heads")
