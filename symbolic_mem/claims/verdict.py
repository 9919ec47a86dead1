"""`Verdict`: a claim held against the study; `Unread`: one that could not be."""

from __future__ import annotations

from fractions import Fraction

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.values import dataclass
from symbolic_mem.claims.claim import Claim
from symbolic_mem.claims.explain import Explanation
from symbolic_mem.claims.formulas import Compared
from symbolic_mem.claims.stated import Stated
from symbolic_mem.document.prose import Prose
from symbolic_mem.study.claimed import Claimed


@dataclass(frozen=True, repr=False)
class Verdict:
    """A claim against the study: `name` is how the study calls the quantity, `expected` its exact number (None: none).

    `figures` says to how many the claim is right: zero where it is exact, None where it is wrong. Of a formula,
    `compared` says what it was held against. `explanations` are every single slip that gives the claim, and those known
    to have been made together; only where there is none, pairs. The number alone cannot tell which of several was
    made. Empty for a wrong claim means: no known slip. `beside` are sentences about the study that a reader needs.
    """

    claim: Claim
    name: str
    claimed: Claimed
    question: str | None
    stated: Stated
    expected: Fraction | None
    quotient: Fraction | None
    figures: int | None
    compared: Compared | None = None
    explanations: tuple[Explanation, ...] = ()
    own: bool = False
    beside: tuple[Prose, ...] = ()

    def __repr__(self) -> str:
        words = "right" if self.right else "wrong"
        return f"<claim {self.claim.name} = {self.claim.text}: {words}>"

    @property
    def right(self) -> bool:
        """Whether the claim is the exact number, or that number rounded to the figures of the claim."""
        return self.figures is not None

    @property
    def rounded(self) -> bool:
        """Whether the claim is right and rounded."""
        return bool(self.figures)

    @property
    def value(self) -> Fraction | None:
        """What is claimed, in bytes or in what the quantity counts; None where it is that there is no number."""
        return self.stated.value

    @property
    def difference(self) -> Fraction | None:
        """Claim less truth, in bytes or in what the quantity counts; None where either is not a number."""
        return None if self.value is None or self.expected is None else self.value - self.expected

    @property
    def ratio(self) -> Fraction | None:
        """Claim over truth."""
        return None if self.value is None or not self.expected else self.value / self.expected


@dataclass(frozen=True)
class Unread:
    """A claim that could not be checked: its `text` as it was given, and the `error`."""

    text: str
    error: BadInput
