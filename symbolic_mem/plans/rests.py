"""What an engine does where a degree does not divide a dimension of a model: it refuses, pads or cuts unevenly."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

import sympy as sp

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.exact import at
from symbolic_mem.base.symbols import S, d_ff, f_load, n_cp, n_ep, n_pp, n_tp
from symbolic_mem.models.built import Built
from symbolic_mem.models.cut import DIMENSIONS

Values = Mapping[sp.Symbol, sp.Rational]
UNEVEN, PADDED, COPIED, HALVES, SPREAD, FILLED = "uneven", "padded", "copied", "halves", "spread", "filled"
ROWS = 64  # vLLM, model_executor/layers/vocab_parallel_embedding.py: DEFAULT_VOCAB_PADDING_SIZE
NOT_OUT = (
    "plan '{plan}' divides {name} = {size} ({what}) over {degree} = {by}, which does not come out, and its engine refuses it; give "
    "a divisor of {size}"
)
EQUAL_STAGES = (
    "plan '{plan}' divides {name} = {size} ({what}) over {degree} = {by} equal stages, which does not come out; give a divisor of "
    "{size}, or the blocks of each stage as layers = [...] in [plan]"
)
AS_VLLM = ", or choose plan vllm-tp+pp, whose stages are uneven as those of vLLM"
NOT_FILLED = (
    "plan '{plan}' divides {name} = {size} ({what}) over {degree} = {by}: vLLM fills it up to {filled}, a multiple of {rows}, which does not "
    "come out, and refuses it; give a divisor of {filled}"
)
IN_PIECES = (
    "plan '{plan}' divides {name} = {size} ({what}) into {degree} = {by} pieces, two for each rank, which does not come out, and "
    "its engine refuses it; give {name} as a multiple of {by}, or fewer ranks"
)


class Size(NamedTuple):
    """A size of a model that a dimension has, as it is called in studies."""

    name: str
    size: sp.Expr


def sizes(built: Built) -> Iterator[tuple[str, Size]]:
    """Yield the named dimensions of a model with their sizes; a stack has its inner width alone."""
    a = built.architecture
    if a is None:
        yield "inner", Size("d_ff", d_ff)
        return
    yield "heads", Size("n_heads", a.n_heads)
    if a.latent is None:
        yield "keys", Size("n_kv", a.n_kv)
    if a.dense_layers != 0:
        yield "inner", Size("d_ff", a.d_ff)
    yield "vocabulary", Size("V", a.vocabulary)
    if a.mtp != 0:
        yield "joined", Size("d_model", a.d_model)
    for dimension in ("tokens", "stream", "inputs"):
        yield dimension, Size("S", S)
    if a.experts is not None:
        yield "experts", Size("E", a.experts.experts)
        yield "expert inner", Size("d_expert", a.experts.d_expert)
    yield "layers", Size("L", a.layers)


def refuse_idle(name: str, cuts: Mapping[str, sp.Expr], built: Built, values: Values) -> None:
    """Refuse ranks along an axis that divides nothing of the model: a stack has no sequence and no stages, a dense model no experts.

    Megatron-LM refuses experts' ranks for a model without experts, too (arguments.py, expert_model_parallel_size).

    >>> from symbolic_mem.models.ffn import ffn
    >>> refuse_idle("cp", {"tokens": n_cp}, Built(ffn(), {}), {n_cp: sp.Integer(2)})
    Traceback (most recent call last):
    symbolic_mem.base.errors.BadInput: plan 'cp' with n_cp = 2: it divides tokens of a sequence, and no formula of this model says what a rank has of them; leave n_cp out
    """
    known = {dimension for dimension, _ in sizes(built)}
    known |= {"logits"} if "vocabulary" in known else set()
    for axis in (n_tp, n_pp, n_cp, n_ep):
        cut = [dimension for dimension, by in cuts.items() if by.has(axis)]
        if values.get(axis, 1) != 1 and cut and known.isdisjoint(cut):
            what = ", ".join(DIMENSIONS[dimension] for dimension in cut)
            why = "no formula of this model says what a rank has of them"
            if built.architecture is not None:
                why = "this model has none"
            raise BadInput(
                f"plan {name!r} with {axis} = {values[axis]}: it divides {what}, and {why}; leave {axis} out"
            )


class Pieces(NamedTuple):
    """A dimension of a certain size that must come out in so many pieces, `by`, as a `degree` says, or be copied."""

    dimension: str
    size: Size
    degree: sp.Expr
    by: sp.Rational
    how: str

    def holds(self, whole: sp.Rational) -> bool:
        """Whether a size comes out, or what it is filled up to."""
        if self.how == FILLED:
            return bool(filled(whole) % self.by == 0)
        return whole % self.by == 0 or (self.how == COPIED and self.by % whole == 0)


def filled(rows: sp.Rational) -> sp.Rational:
    """The rows that vLLM makes of a vocabulary.

    >>> filled(sp.Integer(50257))
    50304
    """
    return ROWS * sp.ceiling(rows / ROWS)


def must_come_out(
    cuts: Mapping[str, sp.Expr], rests: Mapping[str, str], built: Built, values: Values, *, exchanged: bool = False
) -> Iterator[Pieces]:
    """Yield the dimensions of which an engine refuses a rest, each with its number of pieces, where that has a value.

    Where heads are `exchanged` for tokens they are divided over those devices, too.
    """
    for dimension, size in sizes(built):
        degree = cuts.get(dimension)
        if exchanged and dimension == "heads":
            degree = cuts["tokens"] * (sp.S.One if degree is None else degree)
        if degree is None:
            continue
        if dimension in ("stream", "inputs") and "tokens" in cuts:
            degree = degree * cuts["tokens"]
        how = rests.get(dimension, "")
        by = at(degree.xreplace({axis: sp.S.One for axis in degree.free_symbols if axis not in values}), values)
        if how == HALVES and by is not None and by != 1:
            degree, by = 2 * degree, 2 * by
        if by is not None and by != 1 and how not in (UNEVEN, PADDED, SPREAD):
            yield Pieces(dimension, size, degree, by, how)


def refuse_rests(name: str, pieces: Iterable[Pieces], values: Values, *, trains: bool = True) -> None:
    """Refuse a degree that does not divide its dimension, where nothing is done about the rest under plan `name`.

    Raises `BadInput` naming the degree, the size and what to give; a size without a value is not checked.
    """
    for each in pieces:
        whole = at(each.size.size, values)
        if whole is None or each.holds(whole):
            continue
        stages = each.dimension == "layers"
        words = EQUAL_STAGES if stages else {HALVES: IN_PIECES, FILLED: NOT_FILLED}.get(each.how, NOT_OUT)
        if each.how == FILLED:
            words = words.replace("{filled}", str(filled(whole))).replace("{rows}", str(ROWS))
        told = {"name": each.size.name, "size": whole, "what": DIMENSIONS[each.dimension], "degree": each.degree}
        also = " or a multiple of it" if each.how == COPIED else AS_VLLM if stages and not trains else ""
        raise BadInput(words.format(plan=name, by=each.by, **told) + also)


def most_load(cuts: Mapping[str, sp.Expr], built: Built, values: Values) -> int | None:
    """Return how many percent of a balanced load the experts of one rank can get at most, or None where none are divided.

    That is all choices of all tokens of the ranks that share the experts; a token chooses no more of them than the rank has.
    """
    a, ranks = built.architecture, values.get(n_ep, sp.S.One)
    if a is None or a.experts is None or "experts" not in cuts or ranks == 1:
        return None
    number, chosen = (at(size, values) for size in (a.experts.experts, a.experts.top_k))
    own = ranks if number is None or chosen is None else min(ranks, number / chosen)
    return int(100 * own)


def refuse_load(name: str, cuts: Mapping[str, sp.Expr], built: Built, values: Values) -> None:
    """Refuse a load of the fullest rank that is more than all rows there are for it."""
    most, load = most_load(cuts, built, values), values.get(f_load, 0)
    if most is None or load <= most:
        return
    enough = {**values, n_ep: sp.Integer(-(-load // 100))}
    wider = most_load(cuts, built, enough)
    more = f", or n_ep of at least {enough[n_ep]}" if wider is not None and load <= wider else ""
    raise BadInput(
        f"plan {name!r}: f_load = {load} percent of a balanced load is more than all rows of the "
        f"{values[n_ep]} ranks that share the experts, {most}; give at most that{more}"
    )


def refuse_experts(name: str, built: Built, values: Values) -> None:
    """Refuse a mixture of experts over several ranks of n_tp, where the engine asks for sequence parallelism beside it."""
    ranks = values.get(n_tp, sp.S.One)
    if built.architecture is None or built.architecture.experts is None or ranks == 1:
        return
    raise BadInput(
        f"plan {name!r} with n_tp = {ranks}: Megatron-LM trains no mixture of experts under tensor parallelism without sequence "
        "parallelism; take plan megatron, or megatron-sp in the place of megatron-tp, or n_tp = 1"
    )
