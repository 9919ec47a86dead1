"""`Scheme`: who holds what under data, FSDP and tensor parallelism, and which collectives each pass then needs."""

from __future__ import annotations

from dataclasses import replace

import sympy as sp

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.symbols import M_X, M_Y, X, Y, n_pod
from symbolic_mem.base.values import dataclass
from symbolic_mem.plans.collectives import Collective
from symbolic_mem.plans.load import Load
from symbolic_mem.plans.words import PASSES, SCHEMES


@dataclass(frozen=True)
class Pass:
    """One pass over the batch: its `flops` are divided over `chips`, and each of `collectives` happens once."""

    name: str
    flops: sp.Expr
    chips: sp.Expr
    collectives: tuple[Collective, ...]

    @property
    def axes(self) -> tuple[str, ...]:
        """The mesh axes that something is sent along, in order."""
        return tuple(dict.fromkeys(collective.axis for collective in self.collectives))


@dataclass(frozen=True)
class Mesh:
    """Sizes of the two mesh axes, and the number of physical axes of the torus that each is laid over."""

    x: sp.Expr = X
    y: sp.Expr = Y
    axes_x: sp.Expr = M_X
    axes_y: sp.Expr = M_Y
    pods: sp.Expr = sp.S.One

    def __post_init__(self) -> None:
        for name, value in (("M_X", self.axes_x), ("M_Y", self.axes_y), ("X", self.x), ("Y", self.y)):
            if sp.sympify(value).is_number and not value >= 1:
                raise BadInput(f"{name} = {value} is not allowed; a mesh axis needs at least 1")

    @property
    def chips(self) -> sp.Expr:
        """All chips: the product of the axes, in all pods."""
        return self.x * self.y * self.pods


@dataclass(frozen=True)
class Scheme:
    """A way to divide training over a mesh, with the collectives of its forward and backward pass."""

    name: str
    mesh: Mesh
    forward: Pass
    backward: Pass

    def of(self, name: str) -> Pass:
        """Return the ``forward``, the ``backward`` or the whole ``step``."""
        if name not in PASSES:
            raise BadInput.unknown(f"unknown pass {name!r}", name, PASSES)
        if name != "step":
            return self.forward if name == "forward" else self.backward
        both = self.forward.collectives + self.backward.collectives
        return Pass("step", self.forward.flops + self.backward.flops, self.forward.chips, both)


def scheme(
    name: str,
    load: Load,
    mesh: Mesh | None = None,
    *,
    weight_bytes: sp.Expr | int = 2,
    activation_bytes: sp.Expr | int = 2,
    keep: sp.Expr = sp.S.Zero,
) -> Scheme:
    """Return the scheme called `name` for a `load`; what is sent has 2 bytes per element unless said otherwise.

    ``dp``: every chip holds the model, gradients are all-reduced. ``fsdp`` (ZeRO-3): weights are gathered forward and
    backward, gradients reduce-scattered. ``tp``: activations are gathered and reduce-scattered in every layer.
    ``fsdp+tp``: both, on the two axes of a mesh. ``hsdp``: that inside each pod, gradients all-reduced between pods.
    Of gathered weights a share may `keep` its place until the backward pass, which then gathers them over 1/keep chips, or not at all.
    Sources: Scaling Book, chapter Training; CS336 (2026), assignment 2, section 8.

    >>> from symbolic_mem.plans.load import load
    >>> from symbolic_mem.models.ffn import ffn
    >>> [c.kind for c in scheme("fsdp+tp", load(ffn())).forward.collectives]
    ['all-gather', 'all-gather', 'reduce-scatter']
    """
    if name not in SCHEMES:
        raise BadInput.unknown(f"unknown scheme {name!r}", name, SCHEMES)
    if name in ("tp", "fsdp+tp", "hsdp") and load.inputs == load.outputs == 0:
        raise BadInput(
            f"scheme {name!r} gathers what enters layers and sums what leaves them, and no product of the {load.what} says that it "
            "does either; give Matmul(..., enters=True) and Matmul(..., leaves=True), or take scheme 'fsdp'"
        )
    mesh = _flat(name, mesh or Mesh(pods=n_pod if name == "hsdp" else sp.S.One))
    weights = weight_bytes * load.weights / mesh.y
    inputs, outputs = (activation_bytes * part / (mesh.x * mesh.pods) for part in (load.inputs, load.outputs))
    forward: list[Collective] = []
    backward: list[Collective] = []
    if name == "dp":
        backward.append(Collective("all-reduce", "gradients", weights, mesh.x, "X", mesh.axes_x))
    elif name != "tp":
        gather = Collective("all-gather", "weights", weights, mesh.x, "X", mesh.axes_x)
        forward.append(gather)
        again = gather if keep == 0 else replace(gather, over=1 / keep)
        backward += [] if keep == 1 else [again]
        backward += [Collective("reduce-scatter", "gradients", weights, mesh.x, "X", mesh.axes_x)]
    if name in ("tp", "fsdp+tp", "hsdp"):
        forward += _tensor_parallel(inputs, outputs, mesh, "")
        backward += _tensor_parallel(outputs, inputs, mesh, "gradients of the ")
    if name == "hsdp":
        backward.append(Collective("all-reduce", "gradients", weights / mesh.x, mesh.pods, "pods", fabric="pods"))
    one = Pass("forward", load.flops, mesh.chips, tuple(forward))
    return Scheme(name, mesh, one, Pass("backward", load.backward, mesh.chips, tuple(backward)))


def _tensor_parallel(gathered: sp.Expr, reduced: sp.Expr, mesh: Mesh, of: str) -> list[Collective]:
    ends = ("outputs", "inputs") if of else ("inputs", "outputs")
    return [
        Collective("all-gather", f"{of}{ends[0]}", gathered, mesh.y, "Y", mesh.axes_y),
        Collective("reduce-scatter", f"{of}{ends[1]}", reduced, mesh.y, "Y", mesh.axes_y),
    ]


def _flat(name: str, mesh: Mesh) -> Mesh:
    if name in ("dp", "fsdp"):
        return Mesh(mesh.x, sp.S.One, mesh.axes_x, sp.S.One, mesh.pods)
    if name == "tp":
        return Mesh(sp.S.One, mesh.y, sp.S.One, mesh.axes_y, mesh.pods)
    return mesh


def bubble(stages: sp.Expr, microbatches: sp.Expr, chunks: sp.Expr = sp.S.One) -> sp.Expr:
    """Idle time of a pipeline over its busy time: (p - 1)/(v m) (Narayanan et al., 2021, section 2.2).

    >>> bubble(sp.Integer(8), sp.Integer(64), sp.Integer(2))
    7/128
    """
    return (stages - 1) / (chunks * microbatches)
