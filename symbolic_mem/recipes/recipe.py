"""`Recipe`: how many bytes training keeps for every parameter and every saved activation, and who says so."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import field, replace
from functools import cached_property
from typing import Any

import sympy as sp

from symbolic_mem.base.errors import BadInput, at_place
from symbolic_mem.base.once import hashed_once
from symbolic_mem.base.shown import bytes_words
from symbolic_mem.base.values import dataclass
from symbolic_mem.models.packing import packing
from symbolic_mem.models.profile import PRECISIONS
from symbolic_mem.models.tensors import KINDS, Model, Part
from symbolic_mem.recipes.bases import among, under
from symbolic_mem.recipes.caches import CacheFormat, cache_format
from symbolic_mem.recipes.known import EVERY_ELEMENT
from symbolic_mem.recipes.listed import of_a_parameter
from symbolic_mem.recipes.not_counted import NotCounted
from symbolic_mem.recipes.offload import OFFLOADED, known_offload
from symbolic_mem.recipes.optimizers import optimizer
from symbolic_mem.recipes.recompute import NONE, Recompute
from symbolic_mem.recipes.states import State
from symbolic_mem.recipes.tuned import EVERYTHING, Tuned
from symbolic_mem.recipes.widths import Widths

FP32 = sp.Integer(4)
_DTYPE = re.compile(r"^(FP|BF)[0-9]+ ")
_PRECISION_OF = {sp.Integer(2): "16-bit", FP32: "FP32"}
SCHEDULES = ("torch", "deepspeed", "sum")
SIZES = ("weights", "gradients", "optimizer", "activations")
_CHANGED = "Changed from the preset: "
_FREED = "gradients do not persist between micro-batches"
GRADIENTS = ("kept", "freed", "one-by-one")
PAGED = (
    "A paged optimizer keeps the states of tensors of at least 100,000 elements in unified memory (bitsandbytes 0.50): they count on the "
    "device, and the driver moves pages of them to the host where the device is full; offload the optimizer to see what it then holds."
)
COPIES = {"ema": "moving average of the weights", "reference": "weights of the reference model"}
MOST_TOKENS = 10**6
MOST_IN_A_BUCKET = 10**12
LOGITS = ("last", "all")


def known_pages(tokens: object, where: str) -> None:
    """Refuse what is no number of tokens of a page."""
    if isinstance(tokens, bool) or not isinstance(tokens, int) or not 1 <= tokens <= MOST_TOKENS:
        raise BadInput(f"{where}: {tokens!r} is no number of tokens; give a whole number from 1 to {MOST_TOKENS:,}")


@hashed_once
@dataclass(frozen=True, repr=False)
class Recipe:
    """A named set of states and the bytes of one saved activation; `not_counted` says what it leaves out.

    `moments` is the size of the values that the optimizer updates, which its moments share, and `whole` that of weights that are
    trained whole beside adapters (None: the same). Its engine keeps the kinds that are `undivided` whole on every device. Gradients that do not
    persist between micro-batches grow while the activations shrink: `instants` says what that changes, and `persistent`
    is the assumption that holds only while they do; those `of_optimizer` hold of the preset's own, those `of_windows` and `of_states` of
    models whose caches are such, and `of_experts` of those with experts. `changes` says what differs from the preset.

    `engine` and `optimizer` name what runs the step, where the recipe is that of an engine. Where weights are divided,
    `units` of them are gathered at a time in values of `gathers` bytes (None: it is not said), and their gradients are
    sent in values of `reduces` bytes beside those that were computed (None: it is not said). `schedule` is the engine's
    whose instants of a step are known ("": the source states a sum), and `foreach` says whether its optimizer works on
    all tensors at once. Gradients are reduced in a `bucket` of so many numbers (0: in none that is known). With `scalars` single numbers count too, such as the counters of the optimizer's steps.
    `precisions` are those of the engine profiles that it agrees with, the first of which it brings; `quantised` are the
    bytes of the inputs of linear layers, where they are not those of the other `activations`. `tuned` says what of the model is
    trained, and `in_backward` that each gradient goes as soon as the optimizer has used it. The kinds of `offload` live in the
    host's memory; the optimizer then steps there.

    A recipe of inference stores the `cache` of decoding in some format, in pages of so many tokens; one of training has none.
    One that is `presumed` is taken where nobody chose one.
    A pass of `prefill` works on so many tokens at once (None: on all of all sequences), and makes `logits` of the "last"
    position of each sequence, or of "all". It may be of one engine that `serves` models, with kernels of its own.
    """

    name: str
    title: str
    source: str
    states: tuple[State, ...]
    activations: sp.Rational
    activations_reason: str = ""
    assumptions: tuple[str, ...] = ()
    of_windows: tuple[str, ...] = ()
    of_states: tuple[str, ...] = ()
    of_experts: tuple[str, ...] = ()
    not_counted: tuple[NotCounted, ...] = ()
    moments: sp.Rational = FP32
    whole: sp.Rational | None = None
    undivided: tuple[str, ...] = ()
    gradients_persist: bool = True
    persistent: str = ""
    recompute: Recompute = NONE
    changes: tuple[str, ...] = ()
    engine: str = ""
    optimizer: str = ""
    units: int = 1
    gathers: sp.Rational | None = None
    reduces: sp.Rational | None = None
    schedule: str = ""
    foreach: bool = True
    bucket: int = 0
    scalars: bool = False
    of_optimizer: tuple[str, ...] = ()
    precisions: tuple[str, ...] = ("16-bit",)
    quantised: tuple[tuple[str, sp.Rational], ...] = ()
    tuned: Tuned = EVERYTHING
    in_backward: bool = False
    offload: tuple[str, ...] = ()
    cache: CacheFormat | None = None
    page: int = 1
    prefill: int | None = None
    logits: str = "last"
    serves: str = ""
    presumed: bool = field(default=False, compare=False)

    def __repr__(self) -> str:
        return f"<recipe {self.name}: {self.title}>"

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        from symbolic_mem.base.shown import bytes_words
        from symbolic_mem.document.prose import text
        from symbolic_mem.render.notebook import bundle, facts

        def each(size: sp.Rational | None) -> str:
            return (
                "by the shape of the tensor"
                if size is None
                else f"{bytes_words(f'{float(size):g}')} for each parameter"
            )

        rows = [
            *((state.name, text(each(state.bytes_per_element))) for state in self.states),
            ("activations", text(f"{bytes_words(f'{float(self.activations):g}')} for each element that is kept")),
            ("recomputation", text(str(self.recompute))),
            ("source", text(self.source)),
        ]
        return bundle(repr(self), [facts(self.title, rows)], self.name)

    @property
    def trains(self) -> bool:
        """Whether it is a recipe of training, not of inference."""
        return self.cache is None

    @cached_property
    def widths(self) -> Widths:
        """The bytes of one element of every saved tensor."""
        return Widths(self.activations, self.quantised)

    @property
    def saved_bytes(self) -> str:
        """The bytes of a saved element, in words.

        >>> from symbolic_mem.recipes.read import recipe
        >>> recipe("cs336").saved_bytes, recipe("fp8").saved_bytes
        ('2', '2, input of a linear layer 1.03125, input of a linear layer after attention 1.53125')
        """
        inputs = (f", input of a {feeds} {float(size):g}" for feeds, size in self.quantised)
        return f"{float(self.activations):g}{''.join(inputs)}"

    @property
    def said(self) -> tuple[str, ...]:
        """All that it takes for granted, as sentences."""
        persistent = (self.persistent,) if self.persistent and self.gradients_persist else ()
        return (*self.assumptions, *self.of_optimizer, *persistent, *self._offloaded, *self.changes)

    def said_of(self, model: Model) -> tuple[str, ...]:
        """What it takes for granted of caches with sliding windows, of states, and of experts, where a model has some."""
        windows = self.of_windows if any(one.window is not None for one in model.cached) else ()
        states = self.of_states if any(not one.grows for one in model.cached) else ()
        experts = any(weight.group == "experts" for layer in model.layers for weight in layer.weights)
        return (*windows, *states, *(self.of_experts if experts else ()))

    @property
    def _offloaded(self) -> Iterator[str]:
        if not self.offload:
            return
        yield f"In the host's memory: {', '.join(self.offload)}; one device holds what of it is at work."
        if "optimizer" in self.offload:
            yield (
                "The optimizer's states come to the device tensor by tensor."
                if self.in_backward
                else "The optimizer steps on the host."
            )
        elif not self.in_backward and {"weights", "gradients"}.intersection(self.offload):
            yield "The optimizer steps on the device, and has there what it works on at once."
        if "activations" in self.offload:
            yield "What a block keeps has left the device when the next block begins, and is back when its backward pass does."

    @property
    def bytes_per_parameter(self) -> sp.Rational | None:
        """Bytes of all states together for one parameter, or None where they depend on the shapes of the tensors.

        >>> from symbolic_mem.recipes.read import recipe
        >>> recipe("cs336").bytes_per_parameter
        16
        """
        each = of_a_parameter(self.states) if self.tuned.trained.everything else None
        return None if each is None else sp.sympify(each)

    def override(self, bytes_by_kind: Mapping[str, sp.Rational]) -> Recipe:
        """Return the recipe with other bytes per element for some kinds; the moments of an optimizer share theirs.

        Raises `BadInput` for a kind that the recipe does not keep, or whose sizes the optimizer's own format fixes.

        >>> from symbolic_mem.recipes.read import recipe
        >>> recipe("cs336").override({"gradients": sp.Integer(2)}).bytes_per_parameter
        14
        """
        for kind in bytes_by_kind:
            if kind not in (*{state.kind for state in self.states}, "activations"):
                raise BadInput.unknown(f"recipe {self.name!r} keeps no {kind!r}", kind, KINDS)
            kept = kind == "activations" and bytes_by_kind[kind] == self.activations
            if kind == "activations" and not kept and not set(self.precisions) & set(_PRECISION_OF.values()):
                raise BadInput(
                    f"recipe {self.name!r} trains in {PRECISIONS[self.precisions[0]]}; leave activations as they are, or "
                    "choose another recipe"
                )
            fixed = [state.name for state in self.states if state.kind == kind and state.rule != EVERY_ELEMENT]
            if fixed:
                raise BadInput(f"recipe {self.name!r} fixes the bytes of its {fixed[0]}; leave {kind} as it is")
        states = tuple(_in_bytes(state, bytes_by_kind.get(state.kind)) for state in self.states)
        states = tuple(state for state in states if state.bytes_per_element != 0)
        changed = [f"{kind}: {bytes_words(size)} each" for kind, size in bytes_by_kind.items()]
        return self._noting(
            "; ".join(changed),
            states=states,
            **self._saving_in(bytes_by_kind["activations"]) if "activations" in bytes_by_kind else {},
        )

    def _saving_in(self, size: sp.Rational) -> dict[str, Any]:
        """What another number of bytes for each saved element changes: the precision, too."""
        if size == self.activations:
            return {}
        precision = _PRECISION_OF.get(size)
        return {"activations": size, "activations_reason": "", "precisions": (precision,) if precision else ()}

    def with_optimizer(self, name: str, *, step_counters: bool = False) -> Recipe:
        """Return the recipe with the states of another optimizer, for parameters of the same size.

        `step_counters` also counts the few scalars that the engine keeps for a tensor or for the model.

        >>> from symbolic_mem.recipes.read import recipe
        >>> recipe("cs336").with_optimizer("lion").bytes_per_parameter
        12
        """
        chosen = optimizer(name)
        self._need_training("no optimizer", f"optimizer {name}")
        kept = tuple(state for state in self.states if not state.moment)
        return self._noting(
            f"the optimizer is {chosen.title} ({chosen.source})",
            "the optimizer is",
            states=ordered((*kept, *chosen.states(self.moments, step_counters, self.whole))),
            optimizer=chosen.name,
            scalars=step_counters,
            of_optimizer=(PAGED,) if "paged" in name.lower() else (),
        )

    def with_tuned(self, tuned: Tuned) -> Recipe:
        """Return the recipe that trains something else of the model: adapters, or all but what is frozen.

        Raises `BadInput` where it has packed weights already and another way to pack them is asked for.

        >>> from symbolic_mem.recipes.read import recipe
        >>> from symbolic_mem.models.trained import Trained
        >>> how = recipe("pure-bf16").with_tuned(Tuned(Trained(("q_proj",), (), packed=("attention",)), 8, "nf4"))
        >>> [state.name for state in how.states if state.only == "frozen"]
        ['NF4 weights', 'scales of the NF4 weights', 'BF16 weights, not packed']
        """
        if not tuned.trained.everything:
            self._need_training("no gradients", "trained")
        if tuned.base and tuned.base != self.tuned.base:
            if self.tuned.base:
                raise BadInput(
                    f"recipe {self.name!r} packs frozen weights as {self.tuned.base}; leave out base, or choose another recipe"
                )
            return replace(self, tuned=tuned, states=under(packing(tuned.base), self.states, tuned.trained.packed))
        if self.tuned.base and not tuned.base:
            raise BadInput(
                f"recipe {self.name!r} packs frozen weights as {self.tuned.base}, and then nothing would be packed; choose "
                "another recipe"
            )
        if tuned.trained.everything and any(state.of for state in self.states):
            raise BadInput(f"recipe {self.name!r} trains a part of a model; choose another recipe to train all of it")
        states = self.states
        if tuned.trained.packed != self.tuned.trained.packed:
            states = among(states, tuned.trained.packed)
        return replace(self, tuned=tuned, states=states)

    def with_offload(self, kinds: tuple[str, ...], where: str = "offload") -> Recipe:
        """Return the recipe with these kinds of memory in the host's, in place of those that it had there.

        Raises `BadInput` for a kind that there is none of.

        >>> from symbolic_mem.recipes.read import recipe
        >>> recipe("pure-bf16").with_offload(("optimizer",)).offload
        ('optimizer',)
        """
        self._need_training("no states but its weights", "offload")
        kinds = known_offload(kinds, where)
        if kinds and not any(state.kind == "weights" for state in self.states):
            raise BadInput(
                f"{where}: recipe {self.name!r} counts no weights, so that what is left on the device is not known; choose "
                "a recipe that counts them, such as pure-bf16, or leave offload out"
            )
        for kind in kinds:
            if kind != "activations" and not any(state.kind == kind for state in self.states):
                raise BadInput(f"{where}: recipe {self.name!r} keeps no {kind} that could be offloaded; leave it out")
        if "gradients" in kinds and self.in_backward:
            raise BadInput(f"{where}: an optimizer in the backward pass keeps no gradients; leave gradients out")
        return replace(self, offload=tuple(kind for kind in OFFLOADED if kind in kinds))

    def in_backward_pass(self) -> Recipe:
        """Return the recipe whose optimizer steps inside the backward pass, with one gradient at a time."""
        self._need_training("no gradients", "optimizer_in_backward")
        return replace(self, in_backward=True, gradients_persist=False, changes=self._unsaid(_FREED))

    def with_gradients(self, fate: str) -> Recipe:
        """Return the recipe whose gradients are ``kept`` between micro-batches, ``freed`` after a step, or there ``one-by-one``.

        >>> from symbolic_mem.recipes.read import recipe
        >>> recipe("pure-bf16").with_gradients("one-by-one").in_backward
        True
        """
        if not any(state.kind == "gradients" for state in self.states):
            raise BadInput(f"recipe {self.name!r} counts no gradients; choose another recipe")
        if fate == "one-by-one":
            return self.in_backward_pass()
        kept = replace(self, in_backward=False, gradients_persist=True, changes=self._unsaid(_FREED))
        return kept.without_persistent_gradients() if fate == "freed" else kept

    def with_copies(self, sizes: Mapping[str, sp.Rational]) -> Recipe:
        """Return the recipe with these further weights alone: see `with_copy`."""
        self._need_training("no training", "copies of weights beside")
        made = replace(self, states=tuple(state for state in self.states if state.name not in COPIES.values()))
        for what, size in sizes.items():
            made = made.with_copy(what, size)
        return made

    def with_copy(self, what: str, size: sp.Rational) -> Recipe:
        """Return the recipe with further weights beside: a moving average (``ema``), or a ``reference`` model."""
        if size == 0:
            return self
        kept = State(
            COPIES[what],
            "weights",
            size,
            reason=f"{bytes_words(size)} each, as given",
            of="trained" if what == "ema" else "base",
        )
        return replace(self, states=ordered((*self.states, kept)))

    def with_recompute(self, how: Recompute) -> Recipe:
        """Return the recipe with another rule of recomputation."""
        if how.rule != NONE.rule:
            self._need_training("no backward pass", "recompute")
        return replace(self, recompute=how)

    def with_schedule(self, name: str, where: str = "schedule") -> Recipe:
        """Return the recipe that counts the instants of a step of its engine (``torch``, ``deepspeed``), or what is kept as a ``sum``."""
        if name not in SCHEDULES:
            raise BadInput.unknown(f"{where}: unknown schedule {name!r}", name, SCHEDULES)
        if name == "deepspeed" and not self.bucket:
            raise BadInput(
                f"{where}: recipe {self.name!r} is not of DeepSpeed; choose recipe deepspeed-bf16, or leave it out"
            )
        if name == "torch" and self.bucket:
            raise BadInput(
                f"{where}: recipe {self.name!r} is of DeepSpeed; give deepspeed or sum, or choose another recipe"
            )
        return replace(self, schedule="" if name == "sum" else name)

    def with_bucket(self, numbers: int, where: str = "reduce_bucket_size") -> Recipe:
        """Return the recipe that reduces gradients in a bucket of so many numbers: DeepSpeed's ``reduce_bucket_size``.

        Raises `BadInput` for a recipe that has none, and for what is no number of numbers.

        >>> from symbolic_mem.recipes.read import recipe
        >>> recipe("deepspeed-bf16").with_bucket(200_000_000).bucket
        200000000
        """
        if not self.bucket:
            raise BadInput(
                f"{where}: recipe {self.name!r} has no bucket; choose recipe deepspeed-bf16, or leave it out"
            )
        if isinstance(numbers, bool) or not 1 <= numbers <= MOST_IN_A_BUCKET:
            raise BadInput(f"{where}: {numbers!r} is no size; give a whole number from 1 to {MOST_IN_A_BUCKET:,}")
        if numbers == self.bucket:
            return self
        start = "gradients are reduced in a bucket of"
        return self._noting(f"{start} {numbers:,} numbers", start, bucket=numbers)

    def with_cache(self, name: str, where: str = "cache") -> Recipe:
        """Return the recipe with caches in another format: see `cache_format`.

        >>> from symbolic_mem.recipes.read import recipe
        >>> recipe("inference").with_cache("fp8").cache.bytes_each
        1
        """
        with at_place(where):
            chosen = cache_format(name)
            if chosen.engine and self.serves:
                raise BadInput(
                    f"{chosen.name} is of {chosen.engine}, and recipe {self.name!r} of {self.serves}, which has no such caches; give "
                    "bf16 or fp8, or choose recipe inference"
                )
        if self.cache == chosen:
            return self
        before = None if self.cache is None else f"caches are in {self.cache.title}"
        return self._noting(f"caches are in {chosen.title}", before, cache=self._cached(where, chosen))

    def with_packed(self, states: tuple[State, ...], words: str) -> Recipe:
        """Return a recipe of inference with these states, in which weights are packed; `words` say why.

        >>> from symbolic_mem.recipes.read import recipe
        >>> recipe("vllm").with_packed((), "as published").changes
        ('Changed from the preset: weights packed as published.',)
        """
        return self._noting(f"weights packed {words}", states=states)

    def with_pages(self, tokens: int, where: str = "page") -> Recipe:
        """Return the recipe with caches in pages (blocks) of so many tokens; 1: as many as there are tokens."""
        known_pages(tokens, where)
        self._cached(where, self.cache)
        if tokens == self.page:
            return self
        return self._noting(f"caches are in pages of {tokens} tokens", "caches are in pages", page=tokens)

    def with_prefill(self, tokens: int, where: str = "prefill") -> Recipe:
        """Return the recipe whose passes of prefill work on so many tokens at once; 0: on all of all sequences."""
        if isinstance(tokens, bool) or not isinstance(tokens, int) or not 0 <= tokens <= MOST_TOKENS:
            raise BadInput(f"{where}: {tokens!r} is no number of tokens; give one up to {MOST_TOKENS:,}, or 0 for all")
        self._cached(where, self.cache)
        if (tokens or None) == self.prefill:
            return self
        said = f"{tokens} tokens" if tokens else "all tokens of all sequences"
        start = "a pass of prefill works on"
        return self._noting(f"{start} {said} at once", start, prefill=tokens or None)

    def with_logits(self, which: str, where: str = "logits") -> Recipe:
        """Return the recipe that makes logits of the ``last`` position of each prompt, or of ``all``."""
        if which not in LOGITS:
            raise BadInput.unknown(f"{where}: unknown {which!r}", which, LOGITS)
        self._cached(where, self.cache)
        if which == self.logits:
            return self
        return self._noting(f"logits are made of {which} positions of a prompt", "logits are made", logits=which)

    def _cached(self, where: str, chosen: CacheFormat | None) -> CacheFormat | None:
        if self.trains:
            raise BadInput(f"{where}: recipe {self.name!r} trains, and keeps no cache; choose recipe inference")
        return chosen

    def scaled(self, kind: str, parts: tuple[Part, ...], adapted: frozenset[tuple[sp.Expr, ...]]) -> tuple[Part, ...]:
        """Return trained weights, each so many times as it has bytes of ``gradients`` or moments (``optimizer``) over those of an adapter.

        Where what is trained whole has none of its own size all stay as they are; `adapted` are the shapes of adapters.
        """
        usual = self.moments if kind == "optimizer" else self.gradient_bytes()
        whole = self.whole if kind == "optimizer" else self.gradient_bytes("whole")
        if whole is None or whole == usual:
            return parts
        return tuple(
            part if part.shape in adapted else replace(part, copies=part.copies * whole / usual) for part in parts
        )

    def gradient_bytes(self, of: str = "") -> sp.Rational:
        """Return the bytes of an element of a gradient, or of one of some weights alone where theirs have a size of their own."""
        sizes = {state.of: state.bytes_per_element for state in self.states if state.kind == "gradients"}
        return sizes.get(of, next(iter(sizes.values()), sp.S.Zero))

    def _need_training(self, lacks: str, what: str) -> None:
        if not self.trains:
            raise BadInput(f"recipe {self.name!r} is one of inference and has {lacks}; leave {what} out")

    def without_persistent_gradients(self) -> Recipe:
        """Return the recipe whose gradients are freed after every step and not accumulated: see `account`."""
        self._need_training("no gradients", "gradients_persist")
        return self._noting(
            f"{_FREED}. There are none at the start of the backward pass, with all activations, and all of them at the "
            "optimizer step, with no activations",
            _FREED,
            gradients_persist=False,
        )

    def _noting(self, said: str, before: str | None = None, **changes: Any) -> Recipe:
        """The recipe with what is said of a change, in place of what begins as `before`."""
        sentences = self.changes if before is None else self._unsaid(before)
        return replace(self, changes=(*sentences, f"{_CHANGED}{said}.") if said else sentences, **changes)

    def _unsaid(self, before: str) -> tuple[str, ...]:
        """What is said of its changes, without what begins so."""
        return tuple(one for one in self.changes if not one.startswith(_CHANGED + before))


def _in_bytes(state: State, size: sp.Rational | None) -> State:
    """The state in other bytes per element: what names or explains it by its dtype no longer does."""
    if size is None or size == state.bytes_per_element:
        return state
    each = "byte" if size == 1 else "bytes"
    return replace(state, bytes_per_element=size, name=_DTYPE.sub("", state.name), reason=f"{size} {each}, as given")


def ordered(states: tuple[State, ...]) -> tuple[State, ...]:
    """Return states in the order of the kinds of memory."""
    return tuple(sorted(states, key=lambda state: KINDS.index(state.kind)))
