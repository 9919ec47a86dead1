"""What each optimizer keeps between steps, as data: see optimizers.toml."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from functools import cache
from typing import TYPE_CHECKING, Any

from symbolic_mem.base.values import dataclass
from symbolic_mem.recipes.known import EVERY_ELEMENT, optimizer_named, optimizer_tables

if TYPE_CHECKING:
    import sympy as sp

    from symbolic_mem.recipes.states import State

DTYPES = {8: "FP64", 4: "FP32", 2: "BF16"}


@dataclass(frozen=True)
class Kept:
    """One thing that an optimizer keeps; `bytes_per_element` is None where it follows the dtype of the parameters."""

    name: str
    bytes_per_element: Fraction | None
    copies: int
    reason: str
    rule: str
    counter: bool
    of: str = ""


@dataclass(frozen=True)
class InStep:
    """What an optimizer holds for a moment in its step, in tensors of the size of a parameter.

    Of all parameters `together` (``foreach``, PyTorch's default on an accelerator), or of `each` as it works on it, and of the one `before`.
    """

    together: int
    each: int
    before: int

    def nothing(self, *, foreach: bool) -> bool:
        """Whether it holds nothing, working on all tensors at once or on one after the other."""
        return not (self.together if foreach else self.each + self.before)

    @property
    def words(self) -> str:
        """The same in words.

        >>> InStep(1, 2, 1).words
        "foreach (PyTorch's default): all parameters once more, in the dtype of the moments; foreach = false: 2 times the tensor at work and the one before it once"
        """
        if self == InStep(0, 0, 0):
            return "nothing"
        times = "once more" if self.together == 1 else f"{self.together} times more"
        each = (
            ("nothing", "the tensor at work once")[self.each]
            if self.each < 2
            else f"{self.each} times the tensor at work"
        )
        before = " and the one before it once" if self.before else ""
        return f"foreach (PyTorch's default): all parameters {times}, in the dtype of the moments; foreach = false: {each}{before}"


@dataclass(frozen=True)
class Optimizer:
    """A named optimizer of one engine; `source` says which, in which version, and `step` what it holds in its step (None: not known).

    It may need a `library` of its own.
    """

    name: str
    title: str
    source: str
    kept: tuple[Kept, ...]
    step: InStep | None = None
    library: str = ""

    def states(
        self, parameter: sp.Rational, step_counters: bool = False, whole: sp.Rational | None = None
    ) -> tuple[State, ...]:
        """Return its states for parameters of `parameter` bytes; `step_counters` adds the few scalars per tensor.

        Where weights that are trained `whole` beside adapters have other bytes, what follows the dtype of the parameters is two states.

        >>> import sympy as sp
        >>> [state.bytes_per_element for state in optimizer("adamw").states(sp.Integer(2), step_counters=True)]
        [2, 4]
        """
        found: list[State] = []
        for kept in self.kept:
            if kept.counter and not step_counters:
                continue
            if whole is None or kept.bytes_per_element is not None:
                found.append(self._state(kept, parameter, kept.of))
            else:
                found.append(self._state(kept, parameter, "adapters"))
                found.append(self._state(kept, whole, "whole", " of what is trained whole"))
        return tuple(found)

    def _state(self, kept: Kept, parameter: sp.Rational, of: str = "", more: str = "") -> State:
        from symbolic_mem.base.rational import rational  # SymPy, which the catalogue itself does without
        from symbolic_mem.base.shown import bytes_words
        from symbolic_mem.recipes.states import State

        size = parameter if kept.bytes_per_element is None else rational(kept.bytes_per_element)
        dtype = DTYPES.get(size, bytes_words(size)) if kept.bytes_per_element is None else ""
        reason = ", ".join(text for text in (kept.reason, dtype) if text)
        return State(f"{kept.name}{more}", "optimizer", size, kept.copies, reason, kept.rule, moment=True, of=of)


def optimizers() -> dict[str, Optimizer]:
    """Return the bundled optimizers by name, in the order of the file."""
    return {name: optimizer(name) for name in optimizer_tables()}


@cache
def optimizer(name: str) -> Optimizer:
    """Return the bundled optimizer of that name, or of another name that a tool has for it.

    Raises `BadInput` for a name that is not known.

    >>> optimizer("lion").title
    'Lion'
    """
    known = optimizer_named(name)
    return _read(known, optimizer_tables()[known])


def in_step(name: str) -> InStep | None:
    """What the bundled optimizer of that name holds in its step; None where that, or the optimizer, is not known.

    >>> in_step("adamw"), in_step("muon")
    (InStep(together=1, each=2, before=1), None)
    """
    return optimizer(name).step if name in optimizer_tables() else None


def _read(name: str, table: Mapping[str, Any]) -> Optimizer:
    kept = tuple(
        Kept(
            name=row["name"],
            bytes_per_element=Fraction(row["bytes"]) if "bytes" in row else None,
            copies=row.get("copies", 1),
            reason=row.get("reason", ""),
            rule=row.get("rule", EVERY_ELEMENT),
            counter=row.get("counter", False),
            of=row.get("of", ""),
        )
        for row in table["keeps"]
    )
    step = InStep(**table["step"]) if "step" in table else None
    return Optimizer(name, table["title"], table["source"], kept, step, table.get("library", ""))
