"""From a Hugging Face ``config.json`` to an `Architecture`: a local file, no network, no other library."""

from __future__ import annotations

from pathlib import Path

import sympy as sp

from symbolic_mem.base import symbols as s
from symbolic_mem.base.tomlfile import read_content, shown
from symbolic_mem.models.architecture import Architecture, Experts, Latent
from symbolic_mem.models.families import families, family_of
from symbolic_mem.models.fields import Fields
from symbolic_mem.models.json_file import parse_json
from symbolic_mem.models.unread import unread


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
    table = parse_json(content, where)
    family = family_of(table, where)
    return _architecture(Fields(table, family, where))


_DROPOUTS = ("attention_dropout", "residual_dropout", "embedding_dropout")
_IN_EXPERTS = ("router_bias", "expert_bias", "correction_bias")


def _architecture(fields: Fields) -> Architecture:
    facts = dict(fields.family.facts)
    of_experts = {name: facts.pop(name, False) for name in _IN_EXPERTS}
    layers, _ = fields.size("layers", s.L), fields.size("vocabulary", s.V)
    fields.size("d_model", s.d_model)
    d_ff = fields.size("d_ff", s.d_ff, rule=4 * s.d_model)
    fields.size("n_heads", s.n_heads)
    latent = _latent(fields)
    n_kv = fields.size("n_kv", s.n_kv, rule=s.n_heads)
    d_head = latent.d_nope + latent.d_rope if latent else fields.size("d_head", s.d_head, s.d_model / s.n_heads)
    _check_heads(fields, n_kv, d_head)
    if fields.family.reads("n_pos"):
        fields.size("n_pos", s.n_pos)
    if fields.family.reads("attention_bias"):
        facts["qkv_bias"] = facts["o_bias"] = fields.choice("attention_bias")
    for name in ("mlp_bias", "parallel_residual"):
        if fields.family.reads(name):
            facts[name] = fields.choice(name)
    if fields.family.reads("activation"):
        facts["activation"] = fields.activation()
    dropouts = {what: fields.probability(what) for what in _DROPOUTS if fields.family.reads(what)}
    experts = _experts(fields, d_ff, of_experts)
    tied = fields.choice("tied")
    beside = unread(fields.table, {*_read(fields), *families().fields, "quantization_config"}, fields.where)
    return Architecture(
        name=fields.family.model_type,
        family=fields.family.model_type,
        layers=layers,
        d_ff=d_ff,
        n_kv=n_kv,
        d_head=d_head,
        latent=latent,
        experts=experts,
        tied=tied,
        numbers=tuple(fields.numbers.items()),
        assumptions=_assumptions(fields, tied),
        unread=beside,
        **facts,
        **dropouts,
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


def _experts(fields: Fields, d_ff: sp.Expr, biases: dict[str, bool]) -> Experts | None:
    if not fields.family.reads("experts"):
        return None
    fields.size("experts", s.E), fields.size("top_k", s.k)
    if fields.numbers[s.k] > fields.numbers[s.E]:
        fields.refuse("top_k", f"is {fields.numbers[s.k]}, more than the {fields.numbers[s.E]} experts that there are")
    d_expert = fields.size("d_expert", s.d_expert) if fields.family.reads("d_expert") else d_ff
    shared = fields.size("n_shared", s.n_shared, least=0) if fields.family.reads("n_shared") else sp.S.Zero
    dense, layers = _dense_layers(fields), int(fields.numbers[s.L])
    if dense == layers:
        for symbol in (s.E, s.k, s.d_expert, s.n_shared):
            fields.numbers.pop(symbol, None)
        fields.notes.append("Every layer is dense: no layer has experts.")
        return None
    if dense:
        fields.numbers[s.L_dense] = sp.Integer(dense)
    fields.notes.append(
        f"{layers - dense} of {layers} layers have {fields.numbers[s.E]} experts, of which a token visits "
        f"{fields.numbers[s.k]}."
    )
    if biases["correction_bias"]:
        fields.notes.append("The bias that balances the experts is a buffer, not a parameter.")
        fields.notes.append("The module for multi-token prediction is not counted.")
    return Experts(
        d_expert=d_expert,
        d_shared=shared * d_expert,
        dense_layers=s.L_dense if dense else sp.S.Zero,
        router_bias=biases["router_bias"],
        expert_bias=biases["expert_bias"],
        correction_bias=biases["correction_bias"],
    )


def _dense_layers(fields: Fields) -> int:
    layers = int(fields.numbers[s.L])
    if fields.family.reads("first_dense"):
        return min(fields.whole("first_dense", 0), layers)
    if not fields.family.reads("sparse_step"):
        return 0
    step = fields.whole("sparse_step", 1)
    key, given = fields.find("dense_indices")
    if given is None:
        given = fields.default("dense_indices", key)
    if not (isinstance(given, list) and all(type(i) is int and 0 <= i < layers for i in given)):
        fields.refuse("dense_indices", f"must be a list of layer numbers from 0 to {layers - 1}")
    return layers - sum((i + 1) % step == 0 for i in set(range(layers)) - set(given))


def _check_heads(fields: Fields, n_kv: sp.Expr, d_head: sp.Expr) -> None:
    width, heads = fields.numbers[s.d_model], fields.numbers[s.n_heads]
    if d_head == s.d_model / s.n_heads and width % heads:
        remedy = f"; give {fields.family.keys['d_head'][0]}" if fields.family.reads("d_head") else ""
        fields.refuse("n_heads", f"is {heads}, which does not divide {fields.name('d_model')} {width}{remedy}")
    if n_kv == s.n_kv and heads % fields.numbers[s.n_kv]:
        fields.refuse("n_kv", f"is {fields.numbers[s.n_kv]}, which does not divide the {heads} query heads")


def _read(fields: Fields) -> set[str]:
    """The names of the fields that the family reads; positions count only where they are learned."""
    family = fields.family
    return {key for what, keys in family.keys.items() if family.reads(what) or what == "n_pos" for key in keys}


def _assumptions(fields: Fields, tied: bool) -> tuple[str, ...]:
    family, table = fields.family, families()
    lines = [f"The file is read as {family.architecture}, by its model_type {family.model_type!r}."]
    if fields.absent:
        listed = ", ".join(f"{key} = {value}" for key, value in fields.absent.items())
        lines.append(f"Not in the file, so the default of {family.config_class} holds: {listed} ({table.source}).")
    lines += fields.notes
    key = fields.name("tied")
    lines.append(
        f"The head shares the weights of the token embedding ({key} is true)."
        if tied
        else f"The head has weights of its own ({key} is false)."
    )
    if fields.table.get("quantization_config") is not None:
        lines.append("quantization_config is not used: the recipe says how many bytes an element has.")
    unused = sorted(key for key in table.fields - _read(fields) if fields.table.get(key) not in (None, False))
    if unused:
        lines.append(f"In the file, but without a part in a model of this family: {', '.join(unused)}.")
    return tuple(lines)
