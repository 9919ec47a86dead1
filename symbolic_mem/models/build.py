"""From the [model] table of a study to a `Model` and the values that it implies."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import field, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sympy as sp

from symbolic_mem.base.errors import BadInput, at_place, nearest
from symbolic_mem.base.formula import read_formula
from symbolic_mem.base.symbols import B, Name, S, d_ff
from symbolic_mem.base.symbols import table as symbols
from symbolic_mem.base.tomlfile import entry, known_keys
from symbolic_mem.base.values import dataclass
from symbolic_mem.models.ffn import ffn
from symbolic_mem.models.freeze import frozen
from symbolic_mem.models.tensors import Layer, Model
from symbolic_mem.models.trained import ALL, Trained

if TYPE_CHECKING:
    from symbolic_mem.models.architecture import Architecture
    from symbolic_mem.models.checkpoint import Checkpoint
    from symbolic_mem.models.cut import Cut
    from symbolic_mem.models.profile import Profile

_ENGINE = ("profile", "kernel", "loss")
_GIVEN = ("saved_per_layer", "saved_reason")
_STACK = ("residual",)

CHUNKED = (
    "the loss {loss} cuts {tokens} tokens into {chunks} parts, which does not come out; give a number that divides B S"
)


@dataclass(frozen=True)
class Built:
    """A model, the numbers that its description implies, and what it was made from, to be made again otherwise.

    `beside` are layers that are only counted, with what is `said` of them; `visited` of their routed experts work for a
    token (None: there are no such layers). `unread` are fields of its file that may change the model, and
    `files` the tensors that lie beside it; `how` an engine keeps a transformer for the backward pass; a `stack` can be made with another inner width. Where it is what one rank has, `cut` says by what. `stored` are the bytes of its weights where its file says that they are quantised.
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
    trained: Trained = ALL
    stack: Callable[[sp.Expr], Model] | None = field(default=None, compare=False)
    cut: Cut | None = None

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
                raise BadInput(f"{self.model.name} names no dimensions that a plan could divide; choose another plan")
            return replace(self, model=self.stack(cut.of("inner", d_ff)), cut=cut)
        assert self.how is not None
        model = _cut(self.architecture, self.how, self.kernel, self.loss, cut, self.trained)
        return _with(replace(self, model=model, cut=cut), self.beside, self.said, self.visited)

    @property
    def evaluating(self) -> Built:
        """The same model as it is when it is not trained: nothing is dropped out."""
        from symbolic_mem.models.described import DROPOUTS

        rates = dict.fromkeys(DROPOUTS, sp.S.Zero)
        if self.architecture is None or all(getattr(self.architecture, rate) == 0 for rate in rates):
            return self
        made = replace(self, architecture=replace(self.architecture, **rates)).under()
        return made if self.cut is None else made.on(self.cut)

    @property
    def chunks(self) -> int:
        """Into how many equal parts the loss cuts the tokens."""
        from symbolic_mem.models.losses import loss

        return loss(self.loss).chunks if self.loss else 1

    def check(self, values: Mapping[sp.Symbol, sp.Rational], where: str) -> None:
        """Refuse values that no such model can have, for example heads that do not divide; `where` they stand."""
        if self.architecture is not None:
            from symbolic_mem.models.described import check_sizes

            check_sizes(self.architecture, values, where)
        if self.loss:
            tokens, chunks = (B * S).xreplace(values), self.chunks
            if tokens.is_number and tokens % chunks != 0:
                raise BadInput(f"{where}: {CHUNKED.format(loss=repr(self.loss), tokens=tokens, chunks=chunks)}")

    def training(self, trained: Trained) -> Built:
        """Return the same model with other weights frozen and other adapters.

        Raises `BadInput` for a model whose layers are not known by name.
        """
        if trained == self.trained:
            return self
        if self.architecture is None:
            raise BadInput(
                f"what is frozen in {self.model.name}, and where adapters go, is not known by name; only of transformers is it"
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
            raise BadInput(f"{self.model.name} is not built from a profile; only transformers are")
        made = _transformer(
            self.architecture,
            profile or self.how,
            self.kernel if kernel is None and profile is None else kernel or "",
            self.loss if loss is None else loss,
            self.trained if trained is None else trained,
        )
        return replace(
            _with(made, self.beside, self.said, self.visited), unread=self.unread, files=self.files, stored=self.stored
        )


def build_model(content: Mapping[str, Any], where: str, folder: Path, own: Iterable[Name] = ()) -> Built:
    """Build the model that a [model] table describes; `folder` is where its relative paths start.

    Formulas in it may use symbols that only the study has, its `own`.
    """
    table = dict(content)
    if table.get("kind") == "ffn":  # without the time that it takes to import transformers
        return _ffn(table, where)
    from symbolic_mem.models.described import ARCHITECTURE_KEYS

    known_keys(
        table, ("kind", "config", "like", "from", "edition", *_ENGINE, *_GIVEN, *_STACK, *ARCHITECTURE_KEYS), where
    )
    if ("config" in table) == ("kind" in table):
        raise BadInput(f"{where}: give one of kind (known: {', '.join(_KINDS)}) and config (the path of a config.json)")
    if "config" in table:
        _only(table, ("config", "like", "from", "mtp", *_ENGINE), "config", where)
        return _config(folder / entry(table, "config", str, where), table, where)
    kind = entry(table, "kind", str, where)
    if kind not in _KINDS:
        raise BadInput(f"{where}: unknown kind {kind!r} of model; {nearest(kind, _KINDS)}")
    return _parameters(table, where, own) if kind == "parameters" else _KINDS[kind](table, where)


def _with(built: Built, beside: tuple[Layer, ...], said: tuple[str, ...], visited: sp.Expr | None) -> Built:
    """Return the model with layers `beside` it that are only counted, and with what is `said` of them."""
    layers = (*frozen(beside, built.trained), *built.model.layers)
    model = replace(built.model, layers=layers, assumptions=(*said, *built.model.assumptions))
    return replace(built, model=model, beside=beside, said=said, visited=visited)


def _config(path: Path, table: dict[str, Any], where: str) -> Built:
    from symbolic_mem.base.errors import shown
    from symbolic_mem.base.outside import read_content
    from symbolic_mem.models.config import describe
    from symbolic_mem.models.json_file import parse_json

    place = shown(path)
    if path.suffix == ".gguf":
        return _gguf(path, table, where)
    like, origin = (entry(table, key, str, where, "") or None for key in ("like", "from"))
    content = parse_json(read_content(path, "JSON"), place)
    found = describe(content, place, like, origin, mtp=entry(table, "mtp", bool, where, False))
    if found.architecture is None:
        for key in _ENGINE:
            if key in table:
                raise BadInput(
                    f"{where}: the blocks of {found.name} are not described, so there is no {key}; remove it"
                )
        made = Built(Model(found.name, (), cached=found.cached), {})
    else:
        made = _described(found.architecture, table, where)
    visited = found.visited if found.layers else None
    made = replace(_with(made, found.layers, found.assumptions, visited), unread=found.unread)
    if content.get("quantization_config") is not None:
        made = _with_stored(made, content, place)
    return _with_files(made, path.parent) if any(path.parent.glob("*.safetensors*")) else made


def _gguf(path: Path, table: dict[str, Any], where: str) -> Built:
    """The weights that a GGUF file holds, by name, and their bytes in it."""
    from symbolic_mem.models.gguf import gguf_layers, packed_tensors
    from symbolic_mem.models.reading import NOT_DESCRIBED

    _only(table, ("config",), "a GGUF file", where)
    tensors = packed_tensors(path)
    size, kinds = sum(tensor.bytes for tensor in tensors), dict.fromkeys(tensor.type for tensor in tensors)
    said = (
        f"The file holds {len(tensors):,} tensors of {size:,} bytes ({', '.join(kinds)}); the recipe trains others.",
        NOT_DESCRIBED,
        "The sizes stand as numbers in the formulas.",
    )
    built = _with(Built(Model(path.stem, ()), {}), gguf_layers(tensors), said, sp.S.One)
    return replace(built, stored=size)


def _with_stored(built: Built, content: Mapping[str, Any], where: str) -> Built:
    """Count the bytes of the weights as the file says that they are quantised."""
    from symbolic_mem.models.quantised import not_known, quantised, stored_bytes

    how = quantised(content, where)
    if how is not None:
        size = stored_bytes(built.model, built.values, how, content)
        line = (
            f"As published the weights that are counted here are quantised ({how.words}) and take {size:,} bytes; the recipe "
            "trains others."
        )
        return replace(_saying(built, line), stored=size)
    line = not_known(content)
    return _saying(built, line) if line else built


def _saying(built: Built, *lines: str) -> Built:
    model = replace(built.model, assumptions=(*built.model.assumptions, *lines))
    return replace(built, model=model, said=(*built.said, *lines))


def _with_files(built: Built, folder: Path) -> Built:
    """Hold the tensors of the files beside a config against it, where there are any."""
    from symbolic_mem.models.checkpoint import Checkpoint
    from symbolic_mem.models.counts import parameters_by_group
    from symbolic_mem.models.safetensors import stored_tensors

    tensors = stored_tensors(folder)
    if tensors is None:
        return built
    derived = {group: int(size.xreplace(built.values)) for group, size in parameters_by_group(built.model).items()}
    tied = "head" not in derived and (built.architecture is None or built.architecture.head == "language model")
    files = Checkpoint(tensors, derived, tied)
    return replace(_saying(built, *files.lines), files=files)


def _described(architecture: Architecture, table: dict[str, Any], where: str) -> Built:
    from symbolic_mem.models.profile import profile
    from symbolic_mem.models.transformer import DEFAULT_PROFILE

    with at_place(where):
        how = profile(entry(table, "profile", str, where, DEFAULT_PROFILE))
    kernel, loss = (entry(table, key, str, where, "") for key in ("kernel", "loss"))
    if loss:
        from symbolic_mem.models.losses import loss as known_loss

        with at_place(f"{where}: loss"):
            known_loss(loss)
    with at_place(where):
        return _transformer(architecture, how, kernel, loss)


def _transformer(
    architecture: Architecture, how: Profile, kernel: str, loss: str = "", trained: Trained = ALL
) -> Built:
    from symbolic_mem.models.transformer import transformer

    running = (how.using(kernel=kernel) if kernel else how).using(trained=trained)
    made = transformer(architecture, running, loss)
    return Built(made, architecture.values(), architecture, how, kernel, loss, trained=trained)


@lru_cache(maxsize=64)
def _cut(architecture: Architecture, how: Profile, kernel: str, loss: str, cut: Cut, trained: Trained) -> Model:
    from symbolic_mem.models.transformer import transformer

    running = (how.using(kernel=kernel) if kernel else how).using(trained=trained)
    return transformer(architecture, running, loss, cut)


def _only(table: dict[str, Any], allowed: tuple[str, ...], what: str, where: str) -> None:
    for key in table:
        if key not in allowed:
            raise BadInput(f"{where}: a model given by {what} has no {key}; remove it")


def _ffn(table: dict[str, Any], where: str) -> Built:
    _only(table, ("kind",), 'kind = "ffn"', where)
    return Built(ffn(), {}, stack=lambda inner: ffn(inner=inner))


def _gated_ffn(table: dict[str, Any], where: str) -> Built:
    from symbolic_mem.models.gated_ffn import gated_ffn

    _only(table, ("kind", "residual"), 'kind = "gated-ffn"', where)
    residual = entry(table, "residual", bool, where, False)
    return Built(gated_ffn(residual=residual), {}, stack=lambda inner: gated_ffn(inner=inner, residual=residual))


def _plain_transformer(table: dict[str, Any], where: str) -> Built:
    from symbolic_mem.models.described import ARCHITECTURE_KEYS, read_architecture

    _only(table, ("kind", *_ENGINE, *ARCHITECTURE_KEYS), 'kind = "transformer"', where)
    described = {key: table[key] for key in table if key in ARCHITECTURE_KEYS}
    return _described(read_architecture(described, where), table, where)


def _cs336_transformer(table: dict[str, Any], where: str) -> Built:
    from symbolic_mem.models.cs336 import cs336_transformer

    _only(table, ("kind", "edition"), 'kind = "cs336-transformer"', where)
    with at_place(where):
        return Built(cs336_transformer(edition=entry(table, "edition", int, where, 2025)), {})


def _parameters(table: dict[str, Any], where: str, own: Iterable[Name] = ()) -> Built:
    from symbolic_mem.models.given import given_parameters

    _only(table, ("kind", *_GIVEN), 'kind = "parameters"', where)
    reason = entry(table, "saved_reason", str, where, "")
    if "saved_per_layer" not in table:
        return Built(given_parameters(), {})
    names = {str(name.symbol): name.symbol for name in (*symbols(given=True), *own)}
    given = table["saved_per_layer"]
    if isinstance(given, bool) or not isinstance(given, str | int):
        raise BadInput(f'{where}: saved_per_layer is a formula in text, as in "34*B*S*d_model", not {given!r}')
    kept = read_formula(str(given), names, f"{where}: saved_per_layer")
    if kept.is_negative:
        raise BadInput(f"{where}: saved_per_layer = {given} is less than nothing; give what is kept")
    return Built(given_parameters(kept, reason), {})


_KINDS = {
    "cs336-transformer": _cs336_transformer,
    "parameters": _parameters,
    "ffn": _ffn,
    "gated-ffn": _gated_ffn,
    "transformer": _plain_transformer,
}
KINDS_OF_MODEL = tuple(_KINDS)
