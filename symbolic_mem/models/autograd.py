"""Operations of PyTorch on a `Tape`: what each saves, and what its backward pass makes, step by step.

Source: every storage of the operations' kernels followed through a step on fake tensors, PyTorch 2.13.
"""

from __future__ import annotations

import sympy as sp

from symbolic_mem.models.tape import GRADIENT, Applied, Free, Make, Shape, Size, Tape, Value
from symbolic_mem.models.tensors import REPEATED

SUM = "sum"


def cast(tape: Tape, x: Value, size: Size) -> Value:
    """Convert to another dtype; nothing happens to a tensor that has it."""
    if x.tensor.bytes_per_element == size:
        return x
    out = tape.new("converted", x.tensor.shape, size, needs=x.needs)
    return tape.record(out, (), [Make("gradient", x.tensor.shape, x.tensor.bytes_per_element)], {x: "gradient"})


def linear(
    tape: Tape,
    x: Value,
    weight: str,
    shape: Shape,
    *,
    bias: bool = False,
    fused: bool = False,
    trained: bool = True,
    packed: bool = False,
) -> Value:
    """Multiply by a weight of `shape` (out, in): it keeps its input, for the gradient of the weight, unless that is frozen.

    Where it is `fused` with what follows, its result is never there. A `packed` weight is unpacked into a copy that lives
    as long as the product, in both passes.
    """
    before, size = x.tensor.shape, x.tensor.bytes_per_element
    copy = tape.new("unpacked weight", shape, size, needs=False) if packed else None
    out = tape.new(weight, () if fused else (*before[:-1], shape[0]), size)
    if copy is not None:
        tape.drop(copy)
    steps: list[Make | Free | Applied] = []
    if trained:
        steps.append(Make("gradient of the weight", shape, size, weight))
    if x.needs:
        made = Make("gradient of the input", before, size)
        steps += [Make("unpacked weight", shape, size), made, Free("unpacked weight")] if packed else [made]
    if trained and bias:  # the sum over all rows
        steps += [Applied(), Make("gradient of the bias", shape[:1], size, f"bias of {weight}")]
    kept = (x,) if trained else ()
    weighs = x.needs and not packed
    return tape.record(out, kept, steps, {x: "gradient of the input"}, results=(out,), product=True, weighs=weighs)


def linear_in_parts(tape: Tape, x: Value, weight: str, shape: Shape, parts: int) -> Value:
    """Multiply so many parts of the tokens by a weight, one after the other, when the gradients of all results are there.

    The gradient of the weight that the first part makes, that of the next and their sum are three tensors; by then the gradients of
    two parts of the results are gone.
    """
    before, size = x.tensor.shape, x.tensor.bytes_per_element
    out = tape.new(weight, (*before[:-1], shape[0]), size)
    part = (*before[:-1], before[-1] / parts)
    others = (*before[:-1], shape[0] * sp.Rational(parts - 2, parts))
    steps = [
        Make("gradient of the weight", shape, size, weight),
        Make("gradient of a part of the input", part, size),
        Free(GRADIENT),
        Free("gradient of a part of the input"),
        *((Make("gradients of the other parts", others, size),) if parts > 2 else ()),
        Make("gradient of the weight by another part", shape, size),
        Make("sum of both", shape, size),
        Free("gradient of the weight by another part"),
        Free("sum of both"),
        *((Free("gradients of the other parts"),) if parts > 2 else ()),
        Make("gradient of the input", before, size),
    ]
    return tape.record(out, (x,), steps, {x: "gradient of the input"}, results=(out,), product=True)


def times(tape: Tape, x: Value) -> Value:
    """Multiply by a number."""
    shape, size = x.tensor.shape, x.tensor.bytes_per_element
    return tape.record(tape.new("scaled", shape, size), (), [Make("gradient", shape, size)], {x: "gradient"})


def dropped_out(tape: Tape, x: Value) -> Value:
    """Drop some elements out, with one kernel that keeps a byte for each."""
    shape, size = x.tensor.shape, x.tensor.bytes_per_element
    out = tape.new("dropped out", shape, size)
    mask = tape.new("mask", shape, sp.S.One, needs=False)
    tape.record(out, (mask,), [Make("gradient", shape, size)], {x: "gradient"})
    tape.drop(mask)
    return out


def add(tape: Tape, a: Value, b: Value) -> Value:
    """Add two tensors of one shape, whose gradients are that of the sum."""
    out = tape.new("sum", a.tensor.shape, a.tensor.bytes_per_element)
    return tape.record(out, (), (), {a: GRADIENT, b: GRADIENT})


def pass_on(tape: Tape, x: Value) -> Value:
    """Look at a tensor in another order, as at its heads: the same memory, until a product needs it in rows.

    The gradient is copied where it must stand in rows again.
    """
    out = Value(x.storage, x.needs, x.view)
    shape, size = x.tensor.shape, x.tensor.bytes_per_element
    return tape.record(out, (), [Make("gradient in rows", shape, size)], {x: "gradient in rows"})


def copied(tape: Tape, x: Value, *, shape: Shape | None = None, back: str = "", name: str = "copy") -> Value:
    """Copy a tensor, as a product of batches does with what is not laid out by heads; `shape` is its own, otherwise written.

    Its gradient is that of the copy, unless that is laid out anew on the way `back`, too.
    """
    shape, size = shape or x.tensor.shape, x.tensor.bytes_per_element
    steps = [Make(back, shape, size)] if back else []
    return tape.record(tape.new(name, shape, size), (), steps, {x: back or GRADIENT})


def products(tape: Tape, a: Value, b: Value, shape: Shape) -> Value:
    """Multiply two tensors matrix by matrix: both are kept, and the gradient of the second is made first."""
    out = tape.new("product", shape, a.tensor.bytes_per_element)
    steps = [
        Make(f"gradient of the {name}", one.tensor.shape, one.tensor.bytes_per_element)
        for name, one in (("second", b), ("first", a))
    ]
    return tape.record(out, (a, b), steps, {a: "gradient of the first", b: "gradient of the second"})


def kept_result(tape: Tape, x: Value, name: str) -> Value:
    """Apply a function whose derivative is one of its result, such as a softmax or tanh: that is kept."""
    shape, size = x.tensor.shape, x.tensor.bytes_per_element
    out = tape.new(name, shape, size)
    return tape.record(out, (out,), [Make("gradient", shape, size)], {x: "gradient"})


def multiply(tape: Tape, a: Value, b: Value, *, reduced: Shape = ()) -> Value:
    """Multiply two tensors; `b` may be smaller: its gradient is summed up to `reduced` when both products are made."""
    size = _wider(a, b)
    out = tape.new("product", a.tensor.shape, size)
    kept = (*((b,) if a.needs else ()), *((a,) if b.needs else ()))
    steps: list[Make | Free | Applied] = []
    if a.needs:
        steps.append(Make("first", a.tensor.shape, size))
    if b.needs:
        steps.append(Make("second", a.tensor.shape, size))
        if reduced:
            steps += [Applied(), Make(SUM, reduced, size), Free("second")]
    return tape.record(out, kept, steps, {a: "first", b: SUM if reduced else "second"})


def wide_weight(tape: Tape, weight: str, shape: Shape, size: Size, *, trained: bool = True) -> Value:
    """Convert a vector of weights of so many bytes to FP32; its gradient is converted back."""
    out = tape.new("gain in FP32", shape, sp.Integer(4), needs=trained)
    return tape.record(out, (), [Make("gradient of the weight", shape, size, weight)] if trained else ())


def scale(tape: Tape, x: Value, weight: str, shape: Shape, *, trained: bool = True, stored: Size = None) -> Value:
    """Multiply by a vector of weights, such as the gain of a norm; a frozen one needs nothing of `x`.

    Where the product is in FP32 and the weight is `stored` in fewer bytes, its gradient is summed up in FP32 and converted.
    """
    size = x.tensor.bytes_per_element
    out = tape.new("scaled", x.tensor.shape, size)
    if not trained:
        return tape.record(out, (), [Make("gradient", x.tensor.shape, size)], {x: "gradient"}, weighs=x.needs)
    steps: list[Make | Free | Applied] = [
        Make("gradient of the input", x.tensor.shape, size),
        Make("gradient of each row", x.tensor.shape, size),
        Applied(),
    ]
    if stored == size or size is None:
        steps += [Make("gradient of the weight", shape, size, weight), Free("gradient of each row")]
    else:
        steps += [Make(SUM, shape, size), Free("gradient of each row")]
        steps += [Make("gradient of the weight", shape, stored, weight), Free(SUM)]
    return tape.record(out, (x,), steps, {x: "gradient of the input"})


def _wider(a: Value, b: Value) -> Size:
    return b.tensor.bytes_per_element if a.tensor.bytes_per_element is None else a.tensor.bytes_per_element


def power(tape: Tape, x: Value) -> Value:
    """Take a power of a tensor, such as its square: its gradient is made of three more."""
    shape, size = x.tensor.shape, x.tensor.bytes_per_element
    out = tape.new("power", shape, size)
    steps = [Make("power", shape, size), Make("twice", shape, size), Make("gradient", shape, size)]
    return tape.record(out, (x,), steps, {x: "gradient"})


def mean(tape: Tape, x: Value, rows: Shape) -> Value:
    """Take the mean of each row."""
    shape, size = x.tensor.shape, x.tensor.bytes_per_element
    out = tape.new("mean", rows, size)
    return tape.record(out, (), [Make("gradient", shape, size)], {x: "gradient"})


def plus(tape: Tape, x: Value) -> Value:
    """Add a number."""
    out = tape.new("sum", x.tensor.shape, x.tensor.bytes_per_element, needs=x.needs)
    return tape.record(out, (), (), {x: GRADIENT})


def rsqrt(tape: Tape, x: Value) -> Value:
    """Take the reciprocal square root, which is kept."""
    shape, size = x.tensor.shape, x.tensor.bytes_per_element
    out = tape.new("rstd", shape, size)
    steps = [Make("power", shape, size), Make("half", shape, size), Make("gradient", shape, size)]
    return tape.record(out, (out,), steps, {x: "gradient"})


def pointwise(tape: Tape, x: Value, name: str) -> Value:
    """Apply an activation function with a kernel of its own, such as SiLU or GELU: it keeps its input."""
    shape, size = x.tensor.shape, x.tensor.bytes_per_element
    return tape.record(tape.new(name, shape, size), (x,), [Make("gradient", shape, size)], {x: "gradient"})


def normalise(tape: Tape, x: Value, rows: Shape, statistics: int, weights: tuple[tuple[str, Shape], ...]) -> Value:
    """Normalise with one kernel, which keeps its input and `statistics` FP32 numbers of each row."""
    shape, size = x.tensor.shape, x.tensor.bytes_per_element
    out = tape.new("normalised", shape, size)
    numbers = [tape.new("statistic", rows, sp.Integer(4), needs=False) for _ in range(statistics)]
    steps = [Make("gradient of the input", shape, size)]
    steps += [Make(f"gradient of the {name}", dims, size, name) for name, dims in weights]
    tape.record(out, (x, *numbers), steps, {x: "gradient of the input"})
    tape.drop(*numbers)
    return out


def repeat(tape: Tape, x: Value, shape: Shape) -> Value:
    """Copy each head for several others; the gradient is their sum."""
    size = x.tensor.bytes_per_element
    return tape.record(tape.new(REPEATED, shape, size), (), [Make(SUM, x.tensor.shape, size)], {x: SUM})


def rotate(tape: Tape, x: Value, tables: tuple[Value, ...] = ()) -> Value:
    """Rotate by the angles of the positions, with tables that no gradient reaches: x cos + (−x₂, x₁) sin.

    The two products, the tensor with its halves swapped and half of a tensor are there for a moment, in both passes. Of a
    block's own `tables`, cosines and sines, each goes when it is used.
    """
    shape, size = x.tensor.shape, x.tensor.bytes_per_element
    half = (*shape[:-1], shape[-1] / 2)
    parts = [tape.new("x cos", shape, size), tape.new("half", half, size), tape.new("swapped", shape, size)]
    tape.drop(parts[1])
    parts.append(tape.new("swapped sin", shape, size))
    tape.drop(parts[2])
    out = tape.new("rotated", shape, size)
    tape.drop(parts[0], parts[3])
    steps: list[Make | Free | Applied] = [
        Make("by sin", shape, size),
        *(Free(one.tensor.name) for one in tables[1:]),
        Make("half", half, size),
        Make("first half", shape, size),
        Free("half"),
        Make("second half", shape, size),
        Free("by sin"),
        Make("swapped", shape, size),
        Free("first half"),
        Free("second half"),
        Make("by cos", shape, size),
        *(Free(one.tensor.name) for one in tables[:1]),
        Make("gradient", shape, size),
    ]
    return tape.record(out, tables, steps, {x: "gradient"})


def rotate_in_fp32(tape: Tape, x: Value) -> Value:
    """Rotate with tables of FP32, whose products and sum are in FP32, too; the halves are swapped as they were."""
    shape, size, four = x.tensor.shape, x.tensor.bytes_per_element, sp.Integer(4)
    half = (*shape[:-1], shape[-1] / 2)
    parts = [tape.new("x cos", shape, four), tape.new("half", half, size), tape.new("swapped", shape, size)]
    tape.drop(parts[1])
    parts.append(tape.new("swapped sin", shape, four))
    tape.drop(parts[2])
    out = tape.new("rotated", shape, four)
    tape.drop(parts[0], parts[3])
    steps: list[Make | Free | Applied] = [
        Make("by sin", shape, four),
        Make("narrow", shape, size),
        Free("by sin"),
        Make("half", half, size),
        Make("first half", shape, size),
        Free("half"),
        Make("second half", shape, size),
        Free("narrow"),
        Make("swapped", shape, size),
        Free("first half"),
        Free("second half"),
        Make("wide by cos", shape, four),
        Make("by cos", shape, size),
        Free("wide by cos"),
        Free(GRADIENT),
        Make("gradient", shape, size),
    ]
    return tape.record(out, (), steps, {x: "gradient"})


def flash(tape: Tape, q: Value, k: Value, v: Value, rows: Shape, width: sp.Expr, random: int = 16) -> Value:
    """Attend with a fused kernel: it keeps what it reads, its result of a `width`, and a number for each row and head.

    The state of its random numbers has a seed of so many bytes as `random` says, and an offset of 8.
    """
    out = tape.new("attended", (*q.tensor.shape[:-1], width), q.tensor.bytes_per_element)
    number = tape.new("log of the sums", rows, sp.Integer(4), needs=False)
    seeds = [tape.new(name, (), sp.Integer(size), needs=False) for name, size in (("seed", random), ("offset", 8))]
    steps = [
        Make(f"gradient of {name}", one.tensor.shape, one.tensor.bytes_per_element)
        for name, one in zip("qkv", (q, k, v), strict=True)
    ]
    tape.record(
        out,
        (q, k, v, out, number, *seeds),
        steps,
        dict(zip((q, k, v), ("gradient of q", "gradient of k", "gradient of v"), strict=True)),
        results=(out, number, *seeds),
    )
    tape.drop(number, *seeds)
    return out
