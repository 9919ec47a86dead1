"""`OneAxis`: over how many chips one pass of a scheme with one mesh axis can be spread."""

from __future__ import annotations

import sympy as sp

from symbolic_mem.base.symbols import X, Y, t_fsdp, t_tp
from symbolic_mem.base.values import dataclass
from symbolic_mem.plans.roofline import Roofline
from symbolic_mem.plans.schemes import Mesh, scheme
from symbolic_mem.questions.parts.setting import Setting
from symbolic_mem.solvers.chips import largest

_ALONG_ONE = Mesh(axes_x=sp.S.One, axes_y=sp.S.One)
# Scheme, pass, and their names in a table and above a step.
_ROWS = (
    ("dp", "backward", "data parallelism, backward", "Data parallelism, backward pass:"),
    ("fsdp", "forward", "FSDP (ZeRO-3), forward", "FSDP (ZeRO-3), forward pass:"),
    ("fsdp", "backward", "FSDP (ZeRO-3), backward", "FSDP (ZeRO-3), backward pass:"),
    ("tp", "forward", "tensor parallelism, forward", "Tensor parallelism, forward pass:"),
    ("tp", "backward", "tensor parallelism, backward", "Tensor parallelism, backward pass:"),
)


@dataclass(frozen=True)
class OneAxis:
    """A pass that computes for `math` seconds and sends for `time` seconds: its `degree` is at most `most`.

    The `key` is scheme and pass; `name` stands in a table, `heading` above a step; `sent` is the symbol of the time.
    """

    key: str
    name: str
    heading: str
    degree: sp.Symbol
    sent: sp.Symbol
    math: sp.Expr
    time: sp.Expr
    most: sp.Expr


@dataclass(frozen=True)
class BothAxes:
    """A forward pass on a mesh of both axes: seconds of its products, and of what each axis sends."""

    math: sp.Expr
    fsdp: sp.Expr
    tensor: sp.Expr


def both_axes(case: Setting) -> BothAxes:
    """Return the times of a forward pass under FSDP and tensor parallelism, each over one physical axis."""
    roofline = Roofline(scheme("fsdp+tp", case.load, _ALONG_ONE).forward, case.roofline.network)
    return BothAxes(roofline.math, roofline.by_axis["X"], roofline.by_axis["Y"])


def one_axis_bounds(case: Setting) -> tuple[OneAxis, ...]:
    """Return the most chips of data parallelism, FSDP and tensor parallelism, each over one physical axis."""
    bounds = []
    for scheme_name, one_pass, name, heading in _ROWS:
        degree, sent = (Y, t_tp) if scheme_name == "tp" else (X, t_fsdp)
        roofline = Roofline(scheme(scheme_name, case.load, _ALONG_ONE).of(one_pass), case.roofline.network)
        (time,) = roofline.by_axis.values()
        most = largest(roofline, degree)
        bounds.append(OneAxis(f"{scheme_name} {one_pass}", name, heading, degree, sent, roofline.math, time, most))
    return tuple(bounds)
