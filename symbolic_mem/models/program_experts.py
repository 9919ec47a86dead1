"""What the modules of an engine compute in a mixture of experts, on a `Tape`.

Tokens are sorted by expert and copied once for each choice, all experts work in grouped products, and what they give is weighed
and summed up over the choices of a token.

Source: transformers 5.24 (grouped products), each operation followed on fake tensors; the plain modules of the profile
torch-cuda the same way with their weights in the dtype of the computation.
"""

from __future__ import annotations

import sympy as sp

from symbolic_mem.base.symbols import B, S
from symbolic_mem.models import autograd as do
from symbolic_mem.models.architecture import Architecture, Experts
from symbolic_mem.models.linear import SUMMED
from symbolic_mem.models.profile import Profile
from symbolic_mem.models.program_mlp import mlp_program
from symbolic_mem.models.program_router import DEEPSEEK, deepseek_router, router_program
from symbolic_mem.models.program_sums import Sums
from symbolic_mem.models.tape import Applied, Free, Make, Shape, Size, Tape, Value
from symbolic_mem.models.tensors import Tensor
from symbolic_mem.models.trained import Trained

FOUR, EIGHT = sp.Integer(4), sp.Integer(8)


def experts_described(a: Architecture, trained: Trained, *, by_hand: bool, passing: bool) -> bool:
    """Say whether the operations of a mixture of experts are described.

    They are not where a rank has some of the experts alone, where experts are packed or each has adapters, and where adapters are summed with the weights in plain modules.
    Where a block is `passing` tokens on, shared experts are, too, by hand those of DeepSeek.
    """
    experts = a.experts
    assert experts is not None
    if experts.routed_among not in (None, experts.experts):
        return False
    if not by_hand and any(trained.sums(name, "experts") for name in ("W_gate", "W_down")):
        return False
    if trained.unpacks("experts") or any(trained.adapts(name, "experts") for name in ("W_gate", "W_up", "W_down")):
        return False
    gate = experts.shared_gate and not (passing and not by_hand)
    plain = not (experts.router_bias or experts.expert_bias or gate)
    shared = experts.d_shared == 0 or (passing and (not by_hand or a.family in DEEPSEEK))
    return plain and shared and a.gated and a.activation == "silu" and not a.mlp_bias


def experts_program(tape: Tape, a: Architecture, how: Profile, x: Value, *, by_hand: bool) -> Value:
    """Record a mixture of experts that reads `x`, as transformers builds it `by_hand`, or as plain modules."""
    experts = a.experts
    assert experts is not None
    rows: Shape = (B, S, experts.top_k)
    size = x.tensor.bytes_per_element
    weighs = how.bytes(how.row("dispatch")["weights"])
    trained = how.trained.trains("router")
    if by_hand and a.family in DEEPSEEK:
        scores, named = deepseek_router(tape, experts, x, rows, trained)
    else:
        scores, named = router_program(tape, experts, x, rows, FOUR if by_hand else size, trained)
    weights, order, narrow = _sorted(tape, scores, rows, weighs)
    held: tuple[Value, ...] = (order,)
    named += (narrow,)
    if by_hand:
        more = (("sorted experts", rows, EIGHT), ("experts in FP32", rows, FOUR), ("counts", (experts.experts,), FOUR))
        held += tuple(tape.new(name, shape, each, needs=False) for name, shape, each in more)
    tape.label = "the copies of the tokens"
    index = tape.new("token of each choice", rows, EIGHT, needs=False)
    sums = Sums(tape, how, experts, a.d_model)
    copied = _copied(tape, x, index, rows, a.d_model)
    if by_hand:
        tape.drop(index)
    ends = tape.new("ends of the experts", (experts.experts,), FOUR, needs=False) if by_hand else None
    whole = how.trained.trains("experts")
    gate_up = _products(tape, copied, ends, experts, a.d_model, whole, sums)
    tape.label = "the activation function of the experts"
    active = do.pointwise(tape, gate_up[0], "silu")
    tape.label = "the product of gate and up projection of the experts"
    inner = do.multiply(tape, active, gate_up[1])
    tape.drop(active, gate_up[0], *(() if by_hand else (gate_up[1],)))
    tape.label = "the product with W_down of the experts"
    down = (experts.experts, a.d_model, experts.d_expert)
    summed = sums.sum(tape, "W_down", down)
    out = _grouped(tape, inner, ends, {"W_down": down}, a.d_model, whole, summed)
    tape.drop(inner)
    result = _combined(tape, out, weights, rows, x, index, by_hand=by_hand)
    tape.drop(*held, copied, *((index,) if ends is None else (ends,)), out, weights, *sums.named)
    assert size == result.tensor.bytes_per_element
    if experts.d_shared != 0:
        own = mlp_program(tape, a, how, x, experts.d_shared, "shared experts")
        if experts.shared_gate:
            own = _gated(tape, how, x, own)
        tape.label = "the sum with the shared experts"
        total = do.add(tape, result, own)
        tape.drop(own, result)
        result = total
    tape.drop(*named)
    return result


def _gated(tape: Tape, how: Profile, x: Value, own: Value) -> Value:
    """What the shared experts give, weighed by the sigmoid of one number for each token."""
    number = do.linear(tape, x, "W_gate", (sp.S.One, x.tensor.shape[-1]))
    weight = do.kept_result(tape, number, "sigmoid")
    tape.drop(number)
    out = do.multiply(tape, own, weight, reduced=(B, S, sp.S.One))
    tape.drop(own, weight)
    return out


def _sorted(tape: Tape, scores: Value, rows: Shape, size: Size) -> tuple[Value, Value, Value]:
    """The scores in the order of the experts and so many bytes, that order, and the scores before it."""
    order = tape.new("order", rows, EIGHT, needs=False)
    narrow = do.cast(tape, scores, size)
    if narrow is not scores:
        tape.drop(scores)
    out = tape.new("sorted scores", rows, size)
    steps = [Make("zeros", rows, size), Make("gradient", rows, size), Free("zeros")]
    tape.record(out, (order,), steps, {narrow: "gradient"})
    return out, order, narrow


def _copied(tape: Tape, x: Value, index: Value, rows: Shape, width: sp.Expr) -> Value:
    shape, size = x.tensor.shape, x.tensor.bytes_per_element
    out = tape.new("copies", (*rows, width), size)
    return tape.record(
        out, (index,), [Make("zeros", shape, size), Make("gradient", shape, size), Free("zeros")], {x: "gradient"}
    )


def _products(
    tape: Tape, x: Value, ends: Value | None, experts: Experts, width: sp.Expr, trained: bool, sums: Sums
) -> tuple[Value, Value]:
    """The two first products: one for both where their weights are one tensor, of which the halves are views."""
    shape = (experts.experts, experts.d_expert, width)
    inner = experts.d_expert
    if ends is None:
        found = []
        for name in ("W_gate", "W_up"):
            tape.label = f"the product with {name} of the experts"
            found.append(_grouped(tape, x, None, {name: shape}, inner, trained))
        return found[0], found[1]
    tape.label = "the product with W_gate and W_up of the experts"
    summed = sums.sum(tape, SUMMED, (experts.experts, 2 * inner, width))
    both = _grouped(tape, x, ends, {"W_gate": shape, "W_up": shape}, 2 * inner, trained, summed)
    size = x.tensor.bytes_per_element
    half = Tensor("half of both", (*x.tensor.shape[:-1], inner), bytes_per_element=size)
    halves = Value(both.storage, view=half), Value(both.storage, view=half)
    tape.split(both, halves, Make("gradient of both", both.tensor.shape, size))
    return halves


def _grouped(
    tape: Tape,
    x: Value,
    ends: Value | None,
    weights: dict[str, Shape],
    width: sp.Expr,
    trained: bool,
    summed: Value | None = None,
) -> Value:
    """One product for each expert; the gradients of their weights, where they are trained, and of the input are made.

    Where the weights are `summed` with their adapters, the sum gets a gradient.
    """
    size = x.tensor.bytes_per_element
    out = tape.new("grouped product", (*x.tensor.shape[:-1], width), size)
    steps = [Make(f"gradient of {name}", shape, size, name) for name, shape in weights.items() if trained]
    gives = {x: "gradient of the input"}
    kept = ((x,) if trained else ()) + (() if ends is None else (ends,))
    if summed is not None:
        steps.append(Make("gradient of the sum", summed.tensor.shape, size))
        gives[summed] = "gradient of the sum"
        kept = (x, *((summed,) if x.needs else ()), *kept)
    if x.needs:
        steps.append(Make("gradient of the input", x.tensor.shape, size))
    return tape.record(out, kept, steps, gives)


def _combined(tape: Tape, out: Value, weights: Value, rows: Shape, x: Value, index: Value, *, by_hand: bool) -> Value:
    """What the experts give, times its weight, and summed up over the choices of each token."""
    wide, size = out.tensor.shape, out.tensor.bytes_per_element
    exact = weights.tensor.bytes_per_element
    tape.label = "the weighing of the experts"
    weighed = tape.new("weighed", wide, exact)
    steps: list[Make | Free | Applied] = [
        *((Make("by the output", wide, exact),) if weights.needs else ()),
        *((Make("by the weight", wide, exact),) if out.needs else ()),
        Applied(),
    ]
    given = "by the weight"
    if exact != size and out.needs:
        steps += [Make("in the dtype of the output", wide, size), Free("by the weight")]
        given = "in the dtype of the output"
    if weights.needs:
        steps += [Make("sum", rows, exact), Free("by the output")]
    kept = (*((out,) if weights.needs else ()), *((weights,) if out.needs else ()))
    tape.record(weighed, kept, steps, {out: given, weights: "sum"})
    if not by_hand:
        summed = tape.new("sum of the choices", x.tensor.shape, size)
        tape.record(
            summed, (index,), [Make("gradient of each choice", wide, size)], {weighed: "gradient of each choice"}
        )
        tape.drop(weighed)
        return summed
    place, numbers = (tape.new(name, rows, EIGHT, needs=False) for name in ("place of each choice", "numbers"))
    tape.drop(numbers)
    back = tape.new("in the order of the tokens", wide, exact)
    steps = [Make("zeros", wide, exact), Make("gradient", wide, exact), Free("zeros")]
    tape.record(back, (place,), steps, {weighed: "gradient"})
    tape.drop(weighed)
    total = tape.new("sum of the choices", x.tensor.shape, exact)
    tape.record(total, (), [Make("gradient of each choice", wide, exact)], {back: "gradient of each choice"})
    narrow = do.cast(tape, total, size)
    tape.drop(place, back, total)
    return narrow
