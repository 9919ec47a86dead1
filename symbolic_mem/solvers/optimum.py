"""The best shape of a mesh: how N chips are split between the FSDP axis and the tensor-parallel axis."""

from __future__ import annotations

from collections.abc import Sequence

import sympy as sp

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.exact import Values
from symbolic_mem.base.symbols import N_devices, T, X, Y
from symbolic_mem.base.values import dataclass
from symbolic_mem.plans.roofline import Roofline, checked
from symbolic_mem.solvers.critical import Critical, critical, tidy

N = N_devices


@dataclass(frozen=True)
class BestMesh:
    """Times of the two axes at fixed N, with Y = N/X: ``p X - r`` along X and ``q T/X - s T`` along Y; ``a T`` of math.

    In the limit of long rings r = s = 0. The sum is least, and the two are equal, at X = sqrt(q T/p).
    """

    math: sp.Expr
    fsdp: sp.Expr
    tensor: sp.Expr
    a: sp.Expr
    p: sp.Expr
    q: sp.Expr
    r: sp.Expr
    s: sp.Expr

    @property
    def x(self) -> sp.Expr:
        """The best X at a given batch; the derivative of the sum is zero there.

        >>> from symbolic_mem.plans.roofline import Roofline
        >>> from symbolic_mem.plans.schemes import scheme
        >>> from symbolic_mem.plans.load import load
        >>> from symbolic_mem.plans.network import Network
        >>> from symbolic_mem.models.ffn import ffn
        >>> best_mesh(Roofline(scheme("fsdp+tp", load(ffn())).forward, Network("both-ways"))).x
        sqrt(M_X*N_devices*T/(M_Y*d_ff))
        """
        return sp.Pow(tidy(self.q * T / self.p), sp.S.Half, evaluate=False)

    @property
    def slope(self) -> sp.Expr:
        """The derivative of the sum of both times by X."""
        return sp.diff(sp.expand(self.fsdp + self.tensor), X)

    def tokens(self, overlap: str) -> sp.Expr:
        """Tokens that a batch must exceed when X is the best one for it (not necessarily whole).

        ``max``: X is the smallest that keeps the Y axis fast enough. ``sum``: from a T = p X - r + q T/X - s T.

        >>> from symbolic_mem.plans.roofline import Roofline
        >>> from symbolic_mem.plans.schemes import scheme
        >>> from symbolic_mem.plans.load import load
        >>> from symbolic_mem.plans.network import Network
        >>> from symbolic_mem.models.ffn import ffn
        >>> best = best_mesh(Roofline(scheme("fsdp+tp", load(ffn())).forward, Network("both-ways")))
        >>> best.tokens("max"), best.tokens("sum") / best.tokens("max")
        (C**2*N_devices/(M_X*M_Y*W**2*d_ff), 4)
        """
        a, p, q, r, s = self.a, self.p, self.q, self.r, self.s
        if checked(overlap) == "max":
            return tidy((p * q / (a + s) - r) / a)
        if r == 0 and s == 0:
            return tidy(4 * p * q / a**2)
        return ((sp.sqrt(tidy(p * q)) + sp.sqrt(tidy(p * q - r * (a + s)))) / tidy(a + s)) ** 2

    def x_at(self, overlap: str) -> sp.Expr:
        """The best X at the critical batch itself."""
        if checked(overlap) == "max":
            return tidy(self.q / (self.a + self.s))
        return tidy(2 * self.q / self.a) if self.r == self.s == 0 else sp.sqrt(self.q * self.tokens("sum") / self.p)


def best_mesh(roofline: Roofline) -> BestMesh:
    """Split the times of a pass under ``fsdp+tp`` for the choice of X at fixed N = X Y.

    Raises `BadInput` for a pass that does not send along both axes.
    """
    times = roofline.by_axis
    if set(times) != {"X", "Y"}:
        raise BadInput(
            f"a best X needs something sent along X and along Y, not along {', '.join(times) or 'nothing'}; an axis of one chip "
            "sends nothing: give both two chips or more, as in --set X=16 --set Y=4"
        )
    fixed = {Y: N / X}
    math, fsdp, tensor = (sp.expand(time.xreplace(fixed)) for time in (roofline.math, times["X"], times["Y"]))
    a, q = (tidy(part.coeff(T, 1)) for part in (math, tensor.coeff(X, -1)))
    parts = [tidy(part) for part in (fsdp.coeff(X, 1), -fsdp.coeff(X, 0), -tensor.coeff(X, 0).coeff(T, 1))]
    p, r, s = parts
    if sp.expand(fsdp - p * X + r) != 0 or sp.expand(tensor - q * T / X + s * T) != 0:
        raise BadInput("the times do not have the form p X + q T/X, so there is no closed form of the best X")
    return BestMesh(math, fsdp, tensor, a, p, q, r, s)


@dataclass(frozen=True)
class WholeMesh:
    """A mesh of whole axes, with the tokens that a batch must exceed on it: None when no batch is enough.

    `bound` are these tokens in symbols, `margins` what must exceed one for any batch to be enough, `values` the numbers.
    """

    x: int
    y: int
    tokens: sp.Expr | None
    bound: sp.Expr
    margins: tuple[sp.Expr, ...]
    values: Values


def whole_meshes(roofline: Roofline, chips: int, values: Values, overlap: str) -> tuple[WholeMesh, ...]:
    """Return every mesh X Y = `chips` of whole axes with its critical batch; an axis of one chip sends nothing."""
    meshes, bounds = [], dict[Roofline, Critical]()
    for x in sp.divisors(chips):
        shape = {**values, X: sp.Integer(x), Y: sp.Integer(chips // x)}
        sent = roofline.on(shape)
        if sent not in bounds:
            bounds[sent] = critical(sent, overlap)
        bound = bounds[sent]
        meshes.append(WholeMesh(x, chips // x, bound.at(shape), bound.tokens, bound.conditions, shape))
    return tuple(meshes)


def least(meshes: Sequence[WholeMesh]) -> WholeMesh | None:
    """Return the mesh with the smallest critical batch, None when no batch is enough on any."""
    found = min(meshes, key=lambda mesh: sp.oo if mesh.tokens is None else mesh.tokens, default=None)
    return None if found is None or found.tokens is None else found


def mesh_size(values: Values, chips: int | None = None) -> sp.Rational:
    """Return N = X Y from the values, and refuse a number of `chips` that is not their product.

    >>> mesh_size({X: sp.Integer(16), Y: sp.Integer(4)}, 60)
    Traceback (most recent call last):
    symbolic_mem.base.errors.BadInput: X = 16 times Y = 4 is 64 chips, not 60; change X, Y or the number of chips
    """
    x, y = values.get(X), values.get(Y)
    if x is None or y is None:
        if chips is None:
            raise BadInput("the number of chips is not known; give X and Y under [values], or chips = 64")
        return sp.Integer(chips)
    if chips is not None and x * y != chips:
        raise BadInput(f"X = {x} times Y = {y} is {x * y} chips, not {chips}; change X, Y or the number of chips")
    return x * y
