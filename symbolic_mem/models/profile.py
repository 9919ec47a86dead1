"""`Profile`: what an engine keeps for the backward pass, operation by operation, as data from profiles.toml."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import field, replace
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import sympy as sp

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.symbols import B
from symbolic_mem.base.tables import ReadOnce, Tables
from symbolic_mem.base.values import dataclass
from symbolic_mem.models.cut import WHOLE, Tokens
from symbolic_mem.models.known import kept_rows, profile_among, profile_tables, rows_of
from symbolic_mem.models.tensors import Tensor
from symbolic_mem.models.trained import ALL, Trained

Shape = tuple[sp.Expr, ...]
Size = int | str
Row = Mapping[str, Any]
LOSS_COPY = "log_probabilities_copy"  # in FP32, made by autocast: its gradient is that of the loss
OWN = ("title", "source", "kernel", "loss", "outputs", "loss_gradients", "loss_holds", "engine", "precision")
COPIES_OF_WEIGHTS = ("weight_copy", "gain")
SIZES = ("compute", "residual", "input")
PRECISIONS = {
    "16-bit": "16 bits",
    "FP32": "FP32",
    "autocast": "16 bits with FP32 weights that are converted for every product",
    "FP8": "BF16 with the inputs of linear layers in FP8",
}


class Note(NamedTuple):
    """Something that is taken for granted, in `words`; `when` names the kind of model of which it is said ("": all)."""

    words: str
    when: str = ""


@dataclass(frozen=True, repr=False)
class Profile:
    """An engine and a precision: per operation, the tensors that it keeps and their bytes per element.

    `compute` and `residual` are the bytes of the matrix products and of the residual stream; None: the recipe's.
    `kernel` is the attention kernel, `loss` the operation that makes the loss. `outputs` gives the bytes in which an
    operation hands its result on, where they are not those of the matrix products. Kernels in `regenerates` keep no
    dropout mask. Families in `by_head` keep what FlashAttention gives by heads beside its copy. Only the families that are `measured` can be built under it (none named: all). `loss_gradients` is the size of the gradients that the backward pass of the loss holds together, that
    of the log probabilities and that of the logits ("": not measured); `loss_holds` are the bytes for each logit that a loss has for a moment over what
    it keeps, where that is something else (0: not measured). `precision` is what the `engine` trains in, one of
    `PRECISIONS`. A `blank` profile keeps nothing. Where an engine `converts` what a block is given to the dtype of its gathered
    weights, families have the rows `converted`, and `given` are the rotary tables that the caller of the blocks has in FP32. `tokens` are those that a rank works on, and `trained` says what of a model is.
    """

    name: str
    title: str
    source: str
    kernel: str
    keeps: Mapping[str, Row] = field(hash=False)
    compute: sp.Expr | None = None
    residual: sp.Expr | None = None
    loss: str = "cross_entropy"
    outputs: Mapping[str, Size] = field(default_factory=dict, hash=False)
    families: Mapping[str, Mapping[str, Row]] = field(default_factory=dict, hash=False)
    converted: Mapping[str, Mapping[str, Row]] = field(default_factory=dict, hash=False)
    by_head: frozenset[str] = frozenset()
    measured: tuple[str, ...] = ()
    regenerates: frozenset[str] = frozenset()
    assumptions: tuple[Note, ...] = ()
    loss_gradients: Size = ""
    loss_holds: int = 0
    engine: str = ""
    precision: str = "16-bit"
    blank: bool = False
    converts: bool = False
    given: tuple[str, ...] = ()
    tokens: Tokens = WHOLE
    trained: Trained = ALL

    def __repr__(self) -> str:
        return f"<profile {self.name}: {self.title}>"

    @property
    def inside(self) -> Shape:
        """The rows of tokens inside the parts of a block."""
        return (B, self.tokens.inside)

    @property
    def stream(self) -> Shape:
        """The rows of tokens in the residual stream."""
        return (B, self.tokens.stream)

    @property
    def inputs(self) -> Shape:
        """The rows of tokens that the first linear layers of a part keep of their input."""
        return (B, self.tokens.inputs)

    def kept(
        self,
        operation: str,
        shapes: Mapping[str, Shape],
        *,
        given: str = "compute",
        label: str = "",
        omit: Collection[str] = (),
    ) -> tuple[Tensor, ...]:
        """Return the tensors that `operation` keeps, in the order of its row; `shapes` fills in the shapes' names.

        `given` is the dtype of the operation's input, `label` is put before the names, and `omit` names the tensors
        that another operation already keeps. An unknown operation is a `BadInput`.

        >>> from symbolic_mem.base.symbols import B, S, d_model
        >>> shapes = {"input": (B, S, d_model), "rows": (B, S)}
        >>> [(tensor.name, tensor.bytes_per_element) for tensor in profile("hf-cuda-bf16").kept("rmsnorm", shapes)]
        [('input', 4), ('normalised', None), ('rstd', 4)]
        """
        row = self.row(operation)
        if not row:
            return ()
        known = operation_tensors(operation) or {}
        tensors = []
        for name, value in row.items():
            if name in omit:
                continue
            size, shape = (value["bytes"], value["shape"]) if isinstance(value, Mapping) else (value, None)
            shape = shape or known[name]["shape"]
            if shape != "scalar" and shape not in shapes:
                raise BadInput.unknown(
                    f"profile {self.name!r}: {operation} has no shape {shape!r} of {name}", shape, shapes
                )
            tensors.append(
                Tensor(
                    f"{label} {name.replace('_', ' ')}".strip(),
                    () if shape == "scalar" else shapes[shape],
                    known[name]["reason"],
                    self.bytes(size, given),
                    kind="buffers" if name in COPIES_OF_WEIGHTS else "activations",
                )
            )
        return tuple(tensors)

    def row(self, operation: str) -> Row:
        """Return which tensors `operation` keeps and in how many bytes, as the profile's table says it."""
        if self.blank:
            return {}
        if operation not in self.keeps:
            kind, _, variant = operation.partition(" ")
            similar = [name for name in self.keeps if name.startswith(kind)] if variant else self.keeps
            if kind == "attention" and variant:
                kernels = [name.removeprefix("attention ") for name in similar]
                raise BadInput.unknown(f"profile {self.name!r} has no attention kernel {variant!r}", variant, kernels)
            said = f"profile {self.name!r} does not say what {operation!r} keeps"
            elsewhere = [name for name, how in profiles().items() if operation in how.keeps and not how.measured]
            if elsewhere:
                raise BadInput(f"{said}; the profiles {', '.join(elsewhere)} do", elsewhere)
            raise BadInput.unknown(said, operation, similar, then="; choose one of these or another profile")
        return self.keeps[operation]

    def bytes(self, size: Size, given: str = "compute") -> sp.Expr | None:
        """Return the bytes that a word or number of the table stands for; None: the recipe decides."""
        word = given if size == "input" else size
        if word == "compute":
            return self.compute
        if word == "residual":
            return self.residual
        return sp.Integer(word)

    def shares_input(self, producer: str) -> bool:
        """Say whether all linear layers that read the result of `producer` keep one and the same tensor.

        They do unless the result has another dtype than the matrix products, so that each converts it for itself.
        """
        size = "residual" if producer == "residual" else self.outputs.get(producer, "compute")
        return self.bytes(size, "residual") == self.compute

    def using(self, **changes: Any) -> Profile:
        """Return the profile with another `kernel`, `loss`, `residual` or `compute`."""
        return replace(self, **changes) if changes else self

    def keeping(self, operation: str, **row: Size) -> Profile:
        """Return the profile with another row for `operation`: what a kernel of one's own keeps."""
        return replace(self, keeps={**self.keeps, operation: row})

    def laid_out_by_heads(self) -> Profile:
        """Return the profile where what FlashAttention is given, and so what it gives, is in the order of heads."""
        return replace(self, keeps={**self.keeps, **self._by_heads()})

    def _by_heads(self) -> dict[str, Row]:
        """What FlashAttention keeps where its output is copied out of the order of heads: both are there."""
        found: dict[str, dict[str, Size]] = {}
        for operation in ("attention flash", "attention flash_gqa"):
            for name, size in self.keeps.get(operation, {}).items():
                row = found.setdefault(operation, {})
                if name == "out":
                    row["out_by_head"] = size
                row[name] = size
        return dict(found)

    def for_family(self, family: str) -> Profile:
        """Return the profile with the rows that this family of models has of its own.

        Raises `BadInput` for a family that was not measured.
        """
        if self.measured and family and family not in self.measured:
            raise BadInput(
                f"profile {self.name!r} was measured for {', '.join(self.measured)}, not for {family}; choose another profile"
            )
        keeps = {**self.keeps, **(self._by_heads() if family in self.by_head else {}), **self.families.get(family, {})}
        own = self.converted.get(family, {}) if self.converts else {}
        given = tuple(keeps["rotary_tables"]) if "rotary" in own else ()
        return replace(self, keeps={**keeps, **own}, given=given)


@cache
def profiles() -> Mapping[str, Profile]:
    """Return the bundled profiles by name, in the order of the file; each is read when it is first asked for."""
    return ReadOnce(profile_tables(), lambda name, table: made_profile(name, table, profiles()))


def profile(name: str, **changes: Any) -> Profile:
    """Return the bundled profile of that name, optionally with another `kernel`, `loss`, `residual` or `compute`.

    >>> profile("torch-cuda-bf16", kernel="eager").title
    'PyTorch, plain modules, CUDA, pure BF16'
    """
    return profile_among(profiles(), name).using(**changes)


def in_precision(engine: str, precisions: Collection[str]) -> Profile | None:
    """Return the bundled profile of an engine in the first of the `precisions` in which there is one, else None.

    >>> in_precision("hf-cuda", ["autocast"]).name, in_precision("hf-cuda", ["FP32"])
    ('hf-cuda-autocast', None)
    """
    of_engine = [how for how in profiles().values() if how.engine == engine]
    return next((how for one in precisions for how in of_engine if how.precision == one), None)


@cache
def _operations() -> Tables:
    return Tables.of(Path(__file__).with_name("operations.toml"))


def operation_tensors(operation: str) -> Mapping[str, Mapping[str, str]] | None:
    """Return the tensors that an operation of a profile can keep, by name; None where there is no such operation.

    >>> list(operation_tensors("rmsnorm"))[:2], operation_tensors("norm")
    (['input', 'normalised'], None)
    """
    family = operation.removesuffix("_by_hand").removesuffix("_fp32")
    return _operations().get(operation.split()[0] if " " in operation else family)


def known_operations() -> tuple[str, ...]:
    """Return the operations of operations.toml; one of several kernels has the name of one after it."""
    return tuple(_operations())


def made_profile(name: str, table: Mapping[str, Any], known: Mapping[str, Profile]) -> Profile:
    """Make the profile of a table of profiles.toml, or of a file like it; what it extends is among the `known`."""
    base = known[table["extends"]] if "extends" in table else None
    own = {key: value for key, value in table.items() if key in OWN}
    own |= {key: sp.Integer(table[key]) for key in ("compute", "residual") if key in table}
    if "regenerates" in table:
        own["regenerates"] = frozenset(table["regenerates"])
    if "measured" in table:
        own["measured"] = tuple(table["measured"])
    if "assumptions" in table or base is None:
        said = table.get("assumptions", ())
        own["assumptions"] = tuple(Note(one) if isinstance(one, str) else Note(**one) for one in said)
    own["by_head"] = frozenset(table.get("by_head", ()))
    own["keeps"] = kept_rows(table, base.keeps if base else {})
    for kind in ("families", "converted"):
        own[kind] = {family: rows_of(rows) for family, rows in table.get(kind, {}).items()}
    return replace(base, name=name, **own) if base else Profile(name=name, **own)
