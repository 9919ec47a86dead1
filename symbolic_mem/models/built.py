"""`Built`: a model with the numbers that its description implies and what it was made from, to be made again otherwise."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import sympy as sp

from symbolic_mem.base.errors import BadInput, NotDescribed
from symbolic_mem.base.symbols import B, S, d_ff
from symbolic_mem.base.values import dataclass
from symbolic_mem.models.freeze import frozen
from symbolic_mem.models.tensors import Layer, Model
from symbolic_mem.models.trained import ALL, Trained

if TYPE_CHECKING:
    from symbolic_mem.models.architecture import Architecture
    from symbolic_mem.models.checkpoint import Checkpoint
    from symbolic_mem.models.cut import Cut
    from symbolic_mem.models.profile import Profile
    from symbolic_mem.models.quantised import Quantised

CHUNKED = (
    "the loss {loss} cuts {tokens} tokens into {chunks} parts, which does not come out; give a number that divides B S"
)


@dataclass(frozen=True)
class Built:
    """A model, the numbers that its description implies, and what it was made from, to be made again otherwise.

    `beside` are layers that are only counted, with what is `said` of them; `visited` of their routed experts work for a
    token (None: there are no such layers). `unread` are fields of its file that may change the model, and
    `files` the tensors that lie beside it; `how` an engine keeps a transformer for the backward pass; a `stack` can be made with another inner width. Where it is what one rank has, `cut` says by what. `stored` are the bytes of its weights where its file says that they are quantised,
    and `packing` how.
    `in_file` counts the numbers of its published file, where that holds modules for multi-token prediction.
    `rests_on` says how its file was read, where the caller chose that, which of its fields have no part, and how its weights are quantised.
    """

    model: Model
    values: Mapping[sp.Symbol, sp.Rational]
    architecture: Architecture | None = None
    how: Profile | None = None
    kernel: str = ""
    loss: str = ""
    beside: tuple[Layer, ...] = ()
    said: tuple[str, ...] = ()
    visited: sp.Expr | None = None
    unread: tuple[str, ...] = ()
    files: Checkpoint | None = None
    stored: int | None = None
    packing: Quantised | None = None
    trained: Trained = ALL
    stack: Callable[[sp.Expr], Model] | None = field(default=None, compare=False)
    in_file: Callable[[], int] | None = field(default=None, compare=False)
    cut: Cut | None = None
    rests_on: tuple[str, ...] = ()

    @property
    def profile(self) -> str:
        """The name of the engine profile; "" where there is none."""
        return "" if self.how is None else self.how.name

    @property
    def not_described(self) -> str:
        """What of the model keeps activations that are not counted, in words; "" where nothing does."""
        if self.visited is None and (self.architecture is None or self.architecture.described):
            return ""
        if self.architecture is not None and self.architecture.described:
            return "the activations of the parts beside the language model, which are not described"
        return "the activations of the blocks, which are not described"

    def on(self, cut: Cut) -> Built:
        """Return what one rank has of the model, where each dimension is divided as `cut` says.

        Raises `BadInput` for a model of which the dimensions are not known by name.
        """
        if self.architecture is None:
            if self.stack is None:
                raise NotDescribed(
                    f"{self.model.name} names no dimensions that a plan could divide; choose another plan"
                )
            return replace(self, model=self.stack(cut.of("inner", d_ff)), cut=cut)
        assert self.how is not None
        model = _model(self.architecture, self.how, self.kernel, self.loss, cut, self.trained)
        return with_beside(replace(self, model=model, cut=cut), self.beside, self.said, self.visited)

    @property
    def converting(self) -> Built:
        """The same model where the engine converts what each block is given to the dtype of its gathered weights."""
        how = self.how
        if self.architecture is None or how is None or how.converts or self.architecture.family not in how.converted:
            return self
        how = how.using(converts=True)
        model = _model(self.architecture, how, self.kernel, self.loss, self.cut, self.trained)
        return with_beside(replace(self, model=model, how=how), self.beside, self.said, self.visited)

    @property
    def evaluating(self) -> Built:
        """The same model as it is when it is not trained: nothing is dropped out, and every rank has all tokens of its experts.

        Plain modules with rotary positions have projections of their own: in a pass it makes no difference whether they are one product.
        """
        from symbolic_mem.models.described import DROPOUTS
        from symbolic_mem.models.programs import BY_HAND, Programs

        if self.architecture is None:
            return self
        facts: dict[str, Any] = dict.fromkeys(DROPOUTS, sp.S.Zero)
        if self.architecture.position == "rotary" and self.how is not None and self.how.engine not in BY_HAND:
            facts |= {"fused_qkv": False, "fused_gate": False}
        another = any(getattr(self.architecture, fact) != value for fact, value in facts.items())
        made = replace(self, architecture=replace(self.architecture, **facts)).under() if another else self
        if self.cut is not None:
            made = made.on(replace(self.cut, gathers=False))
        work = made.model.work
        if work is None and self.architecture.passes and self.how is not None and self.how.engine not in BY_HAND:
            own = self.architecture if self.cut is None else self.cut.architecture(self.architecture)
            work = Programs(own, self.how.using(kernel=self.kernel or self.how.kernel))
        if not isinstance(work, Programs):
            return made
        return replace(made, model=replace(made.model, work=replace(work, passing=True)))

    @property
    def serving(self) -> Built:
        """The same model as an engine that serves it computes it, with experts in one operation."""
        from symbolic_mem.models.programs import Programs

        made = self.evaluating
        if not isinstance(made.model.work, Programs):
            return made
        return replace(made, model=replace(made.model, work=replace(made.model.work, serves=True)))

    @property
    def chunks(self) -> int:
        """Into how many equal parts the loss cuts the tokens."""
        from symbolic_mem.models.losses import loss

        return loss(self.loss).chunks if self.loss else 1

    def check(self, values: Mapping[sp.Symbol, sp.Rational], where: str, loss: str = "") -> None:
        """Refuse values that no such model can have, for example heads that do not divide; `where` they stand, and the `loss` if elsewhere."""
        if self.architecture is not None:
            from symbolic_mem.models.described import check_sizes

            check_sizes(self.architecture, values, where)
        chunks = self.chunks
        if chunks != 1:
            tokens = (B * S).xreplace(values)
            if tokens.is_number and tokens % chunks != 0:
                raise BadInput(f"{loss or where}: {CHUNKED.format(loss=repr(self.loss), tokens=tokens, chunks=chunks)}")

    def training(self, trained: Trained) -> Built:
        """Return the same model with other weights frozen and other adapters.

        Raises `BadInput` for a model whose layers are not known by name.
        """
        if trained == self.trained:
            return self
        if self.architecture is None:
            raise BadInput(
                "which layers are frozen and where adapters go is known by name, and those of this kind of model "
                f'({self.model.name}) are not; give [model] kind = "transformer" or config = "config.json"'
            )
        return self.under(trained=trained)

    def under(
        self,
        profile: Profile | None = None,
        kernel: str | None = None,
        loss: str | None = None,
        trained: Trained | None = None,
    ) -> Built:
        """Return the same model as another engine profile keeps it, or with another attention kernel, loss or other weights trained.

        Raises `BadInput` for a model that has no profile: the stack of the homework is the same in all of them.
        """
        if self.architecture is None or self.how is None:
            raise BadInput(
                f"{self.model.name} is not built from a profile: it takes no profile, attention kernel or loss; leave them out"
            )
        made = from_architecture(
            self.architecture,
            profile or self.how,
            self.kernel if kernel is None and profile is None else kernel or "",
            self.loss if loss is None else loss,
            self.trained if trained is None else trained,
        )
        return replace(
            with_beside(made, self.beside, self.said, self.visited),
            unread=self.unread,
            files=self.files,
            stored=self.stored,
            packing=self.packing,
        )


def with_beside(built: Built, beside: tuple[Layer, ...], said: tuple[str, ...], visited: sp.Expr | None) -> Built:
    """Return the model with layers `beside` it that are only counted, and with what is `said` of them."""
    layers = (*frozen(beside, built.trained), *built.model.layers)
    model = replace(built.model, layers=layers, assumptions=(*said, *built.model.assumptions))
    return replace(built, model=model, beside=beside, said=said, visited=visited)


def from_architecture(
    architecture: Architecture, how: Profile, kernel: str, loss: str = "", trained: Trained = ALL
) -> Built:
    """Build a transformer as an engine keeps it, with an attention `kernel`, a `loss` and what is `trained`."""
    from symbolic_mem.models.transformer import transformer

    running = (how.using(kernel=kernel) if kernel else how).using(trained=trained)
    made = transformer(architecture, running, loss)
    return Built(made, architecture.values(), architecture, how, kernel, loss, trained=trained)


@lru_cache(maxsize=64)
def _model(
    architecture: Architecture, how: Profile, kernel: str, loss: str, cut: Cut | None, trained: Trained
) -> Model:
    from symbolic_mem.models.transformer import transformer

    running = (how.using(kernel=kernel) if kernel else how).using(trained=trained)
    return transformer(architecture, running, loss, cut)
