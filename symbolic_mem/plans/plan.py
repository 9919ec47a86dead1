"""`Plan`: where the states of the parameters live and which dimensions of the model are cut, by name.

A plan is a mesh of named axes, the degrees; each of its rows says which kinds of memory and which named dimensions are
divided over which axis, and the scheme of what must be sent for it. The product of two plans is written with a plus.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import field, replace
from math import lcm

import sympy as sp

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.exact import at
from symbolic_mem.base.symbols import f_load, n_cp, n_dcp, n_ep, n_etp, n_fsdp, n_pp, n_tp
from symbolic_mem.base.values import dataclass
from symbolic_mem.models.built import Built
from symbolic_mem.models.cut import DIMENSIONS, Cut, Share
from symbolic_mem.plans.cached import check_cached
from symbolic_mem.plans.packed import refuse_groups, refuse_stages
from symbolic_mem.plans.pipeline import pipeline
from symbolic_mem.plans.placement import Placed
from symbolic_mem.plans.rests import (
    COPIED,
    FILLED,
    SPREAD,
    UNEVEN,
    Pieces,
    Values,
    must_come_out,
    refuse_experts,
    refuse_idle,
    refuse_load,
    refuse_rests,
    sizes,
)

AXES = (n_tp, n_pp, n_cp, n_dcp, n_ep, n_etp)
NO_GROUP = (
    "plan '{plan}' divides the optimizer state of the {what} over {degree} = {found} devices, which is no whole number; give "
    "degrees that come out"
)
NO_RESHARD = "plan '{plan}' reshards over {among} devices, which does not divide n_fsdp = {found}; give a divisor of it"


@dataclass(frozen=True)
class Plan:
    """The kinds of memory that are `divided` over n_fsdp, and the scheme that `sends` ("": nothing is sent).

    `cuts` say which named dimensions of the model (see `DIMENSIONS`) are divided over which axes, and `rests` what the
    engine does with one that does not come out: else it refuses. The vocabulary is `padded` to a multiple of so many rows
    for each rank. `groups` are the devices over which a kind is divided where those are others than n_fsdp: for the "dense"
    parameters and for the "experts". A pipeline has a `schedule`, and `layers` in its stages where they are uneven.
    The instants of a step are known where an `engine` is named: the software of which the workspaces count. Of the divided
    state there are so many `instances`. The engine may have projections `fused`, heads `exchanged` for tokens, and keep what
    attention gives `twice`: see `Cut`. It may train models without experts, `dense_alone`, over more than one rank of n_tp, and take `whole_groups` of packed matrices alone. Degrees that a question `finds` may be 1 until
    it does.

    `keep` is the share of gathered weights that stays on a device after the forward pass, where there are any: 0, all of
    them, or 1/k where they are divided again over k devices.
    """

    name: str
    title: str
    source: str
    divided: tuple[str, ...] = ()
    sends: str = ""
    reshards: bool = False
    replicas: bool = False
    keep: sp.Rational = sp.S.Zero
    cuts: tuple[tuple[str, sp.Expr], ...] = ()
    rests: tuple[tuple[str, str], ...] = ()
    padded: int = 1
    groups: tuple[tuple[str, sp.Expr], ...] = ()
    schedule: str = ""
    layers: tuple[int, ...] = ()
    engine: str = ""
    instances: int = 1
    fused: bool = False
    exchanged: bool = False
    twice: bool = False
    dense_alone: bool = False
    whole_groups: bool = False
    finds: tuple[sp.Symbol, ...] = field(default=(), compare=False)

    @property
    def pipelined(self) -> bool:
        """Whether it divides the blocks over the stages of a pipeline."""
        return "layers" in dict(self.cuts)

    @property
    def stages(self) -> sp.Expr:
        """The number of stages of its pipeline: 1 where it has none."""
        return dict(self.cuts).get("layers", sp.S.One)

    @property
    def spreads(self) -> bool:
        """Whether stages have different numbers of blocks where these do not divide.

        >>> from symbolic_mem.plans.read import plan
        >>> plan("vllm-tp+pp").spreads, plan("pp").spreads
        (True, False)
        """
        return dict(self.rests).get("layers") == SPREAD

    def given(self, values: Values) -> dict[sp.Symbol, sp.Rational]:
        """Return the values with 1 for every axis that has none.

        >>> from symbolic_mem.plans.read import plan
        >>> plan("torch-tp").given({})
        {n_tp: 1}
        """
        placed = set().union(*(degree.free_symbols for _, degree in self.groups)) - {n_fsdp}
        return {**dict.fromkeys((*self.axes, *(axis for axis in AXES if axis in placed)), sp.S.One), **values}

    @property
    def axes(self) -> tuple[sp.Symbol, ...]:
        """The axes of the mesh over which dimensions are cut, in the order of the symbols."""
        used = set().union(*(by.free_symbols for _, by in self.cuts))
        return tuple(axis for axis in AXES if axis in used)

    def ranks(self, values: Values) -> int:
        """How many devices there are for each of n_fsdp: those that the model itself is divided over.

        Experts, and tokens of caches, are divided over devices that the other axes count.

        >>> from symbolic_mem.plans.read import plan
        >>> from symbolic_mem.base.symbols import n_ep, n_pp
        >>> plan("megatron").ranks({n_tp: sp.Integer(2), n_pp: sp.Integer(4), n_ep: sp.Integer(8)})
        8
        """
        count = 1
        for axis in (n_tp, n_pp, n_cp):
            count *= int(values.get(axis, 1)) if axis in self.axes else 1
        return count

    def multiple(self, values: Values, built: Built) -> int:
        """Of which number n_fsdp must be a multiple: of the devices that weights are resharded over, and of whole groups.

        >>> from symbolic_mem.plans.read import plan
        >>> from symbolic_mem.models.ffn import ffn
        >>> plan("fsdp2").resharding(8, "here").multiple({}, Built(ffn(), {}))
        8
        """
        found = int((self._together(values).xreplace({n_fsdp: sp.S.One}) * self.keep).q)
        experts = "experts" in dict(sizes(built))
        for what, degree in self.groups:
            if what == "experts" and not experts:
                continue
            each = at(degree.xreplace({n_fsdp: sp.S.One}) / self.instances, values)
            if each is not None:
                found = lcm(found, int(each.q))
        return found

    def cut(self, values: Values, built: Built, part: int = 0) -> Cut | None:
        """Return what a rank has of each dimension, at the axes that have a value of more than 1; None where none has.

        Where a dimension does not come out it is the rank number `part` of those that it is divided over.

        >>> from symbolic_mem.plans.read import plan
        >>> from symbolic_mem.base.symbols import d_ff, n_tp
        >>> from symbolic_mem.models.ffn import ffn
        >>> stack = Built(ffn(), {})
        >>> plan("torch-tp").cut({}, stack) is None, plan("torch-tp").cut({n_tp: 2, d_ff: 8}, stack).of("inner", d_ff)
        (True, d_ff/n_tp)
        """
        rests, found, shares = dict(self.rests), dict(sizes(built)), []
        for dimension, by in self.cuts:
            if dimension == "layers":
                continue  # a stage has whole blocks
            if dimension in ("vocabulary", "logits") and self.pipelined and pipeline(self.schedule).vocabulary:
                by = by * n_pp
            degree = by.xreplace({axis: sp.S.One for axis in by.free_symbols if values.get(axis, 1) == 1})
            if degree == 1:
                continue
            size = found.get("vocabulary" if dimension == "logits" else dimension)
            rest = None if size is None else at(size.size / degree, values)
            whole = size is not None and rest is not None and rest.is_Integer
            how = "" if whole else rests.get(dimension)
            if how == COPIED and size is not None:
                degree = size.size  # so many parts of one each, and several ranks have the same
            shares.append((dimension, Share(degree, part if how in (UNEVEN, FILLED) else None)))
        twice = self.twice and any(dimension == "tokens" for dimension, _ in shares)
        apart = f_load in values and any(dimension == "experts" for dimension, _ in shares)
        load = f_load / 100 if apart else sp.S.One
        cut = Cut(tuple(shares), sp.Integer(self.padded), self.fused, twice, load)
        if self.padded != 1 and "vocabulary" in found:
            size = found["vocabulary"].size
            if at(size, values) == at(cut.vocabulary(size), values):
                cut = replace(cut, padded=sp.S.One)
        return cut if shares or cut.padded != 1 or cut.fused else None

    def times(self, other: Plan) -> Plan:
        """Return the product of two plans: what either divides. `BadInput` where both divide the same.

        >>> from symbolic_mem.plans.read import plan
        >>> plan("fsdp2").times(plan("torch-tp")).name
        'fsdp2+torch-tp'
        """
        both = {*self.divided} & {*other.divided} | {*dict(self.cuts)} & {*dict(other.cuts)}
        if (
            both
            or (self.sends and other.sends)
            or ((self.reshards or other.reshards) and (self.engine or other.engine))
        ):
            what = ", ".join(sorted(both)) or ("what is sent" if self.sends and other.sends else "what a step holds")
            raise BadInput(f"plans {self.name!r} and {other.name!r} both say {what}; give one of them")
        cuts, groups = dict((*self.cuts, *other.cuts)), self.groups or other.groups
        if "experts" in cuts and not groups and (self.divided or other.divided):
            raise BadInput(
                f"plans {self.name!r} and {other.name!r}: an expert that is divided over n_ep has fewer replicas than n_fsdp, "
                "and how its states are divided over them is known of Megatron-LM alone; give distributed-optimizer+ep, or "
                "megatron"
            )
        return Plan(
            f"{self.name}+{other.name}",
            f"{self.title}; {other.title}",
            f"{self.source}; {other.source}",
            (*self.divided, *other.divided),
            self.sends or other.sends,
            self.reshards or other.reshards,
            self.replicas or other.replicas,
            max(self.keep, other.keep),
            tuple(cuts.items()),
            (*self.rests, *other.rests),
            max(self.padded, other.padded),
            groups,
            self.schedule or other.schedule,
            self.layers or other.layers,
            self.engine or other.engine,
            max(self.instances, other.instances),
            fused=self.fused or other.fused,
            exchanged=self.exchanged or other.exchanged,
            twice=self.twice or other.twice,
            dense_alone=self.dense_alone or other.dense_alone,
            whole_groups=self.whole_groups or other.whole_groups,
        )

    @property
    def shares(self) -> Mapping[str, Placed]:
        """Where each divided kind lives.

        >>> from symbolic_mem.plans.read import plan
        >>> sorted(plan("zero-2").shares)
        ['gradients', 'optimizer']
        """
        groups = {what: degree / self.instances for what, degree in self.groups}
        dense = groups.get("dense", n_fsdp)
        return {kind: Placed(dense, experts=groups.get("experts")) for kind in self.divided}

    def _together(self, values: Values) -> sp.Expr:
        """The devices that divide the weights of one replica, for each n_fsdp."""
        devices = dict(self.groups).get("dense", n_fsdp) / self.instances
        return devices.xreplace({axis: values.get(axis, sp.S.One) for axis in devices.free_symbols - {n_fsdp}})

    def kept(self, values: Values) -> sp.Rational:
        """Return `keep` at the degrees that have values: of weights divided again over all their devices nothing stays.

        Source: PyTorch 2.13, fsdp/_fully_shard/_fsdp_init.py: a ``reshard_after_forward`` of as many devices is true.

        >>> from symbolic_mem.plans.read import plan
        >>> [plan("fsdp2").resharding(8, "here").kept({n_fsdp: sp.Integer(n)}) for n in (8, 16)]
        [0, 1/8]
        """
        if self.keep in (0, 1):
            return self.keep
        return sp.S.Zero if at(self._together(values), values) == self.keep.q else self.keep

    @property
    def words(self) -> str:
        """The plan as a sentence."""
        if not self.reshards or self.keep == 0:
            return f"Plan {self.name}: {self.title}."
        if self.keep == 1:
            return f"Plan {self.name}: {self.title}. Gathered weights stay whole until the backward pass."
        among = self.keep.q
        return f"Plan {self.name}: {self.title}. Between the passes gathered weights are divided over {among} devices."

    def resharding(self, given: object, where: str) -> Plan:
        """Return the plan with FSDP2's ``reshard_after_forward``: true, false, or a number of devices.

        >>> from symbolic_mem.plans.read import plan
        >>> plan("fsdp2").resharding(8, "here").keep
        1/8
        """
        if not self.reshards:
            raise BadInput(
                f"{where}: plan {self.name!r} gathers no weights, so there is nothing to reshard; remove reshard"
            )
        if isinstance(given, bool):
            return replace(self, keep=sp.S.Zero if given else sp.S.One)
        if not isinstance(given, int) or given < 2:
            raise BadInput(f"{where}: reshard = {given!r}; give true, false, or a number of devices of at least 2")
        return replace(self, keep=sp.Rational(1, given))

    def pieces(self, values: Values, built: Built) -> Iterator[Pieces]:
        """Yield what of a model must come out in pieces under the plan; a study that gives the blocks of each stage says those."""
        cuts = dict(self.cuts)
        if self.layers:
            cuts.pop("layers", None)
        return must_come_out(cuts, dict(self.rests), built, values, exchanged=self.exchanged)

    def check_inference(self) -> None:
        """Refuse a plan under which it is not known what one device caches."""
        cut = [DIMENSIONS[dimension] for dimension, _ in self.cuts if dimension in ("tokens", "stream")]
        if cut:
            raise BadInput(
                f"plan {self.name!r} divides {', '.join(cut)}, and what a device caches under it is not described; choose plan "
                "vllm-tp, vllm-tp+dcp (which divides cached tokens), pp or torch-tp for inference"
            )

    def check(self, values: Values, built: Built, *, trains: bool = True) -> None:
        """Refuse stages that no engine says how to fill, a reshard over devices that do not divide n_fsdp, a cut that the engine refuses.

        >>> from symbolic_mem.models.ffn import ffn
        >>> from symbolic_mem.plans.read import plan
        >>> plan("fsdp2+pp").check({n_pp: sp.Integer(1)}, Built(ffn(), {}))
        """
        stages = values.get(n_pp, 1)
        if trains and self.pipelined and not self.engine and stages != 1:
            raise BadInput(
                f"plan {self.name!r} with n_pp = {stages}: what a stage of a pipeline holds in a step is known of two "
                "engines alone; give plan megatron, a product with megatron-tp or megatron-sp, as in zero-1+megatron-tp+pp, or "
                "torchtitan, or leave pp out"
            )
        if self.pipelined and self.reshards and self.engine and stages == 1 and n_pp not in self.finds:
            raise BadInput(
                f"plan {self.name!r} is that of a pipeline, whose ranks keep weights gathered; give n_pp of at least 2, or the plan "
                "of its parts without pp, as in fsdp2-cp+torch-sp+loss-parallel"
            )
        cuts = dict(self.cuts)
        if "cached" in cuts:
            check_cached(self.name, "keys" in cuts, built, values, trains=trains)
        if trains and self.dense_alone:
            refuse_experts(self.name, built, values)
        refuse_idle(self.name, cuts, built, values)
        refuse_rests(self.name, self.pieces(values, built), values, trains=trains)
        if self.whole_groups and (cut := self.cut(values, built)) is not None:
            refuse_groups(self.name, built, cut, values)
        if not trains:
            refuse_stages(self.name, built, stages)
        refuse_load(self.name, cuts, built, values)
        idle = (
            values.get(n_tp) == 1 and n_tp not in self.finds and not self.engine
        )  # torchtitan leaves it out there itself
        if "stream" in cuts and "inputs" not in cuts and idle:
            raise BadInput(
                f"plan {self.name!r} with n_tp = 1: sequence parallelism divides nothing without tensor parallelism; give n_tp "
                "of at least 2, or leave the plan out"
            )
        for what, group in self.groups:
            degree = group / self.instances
            if sp.fraction(degree)[1] == 1 or (what == "experts" and "experts" not in dict(sizes(built))):
                continue  # whole at any values, and so none is asked for
            found = at(degree, values)
            if found is not None and not found.is_Integer:
                whose = what if what == "experts" else "other parameters"
                raise BadInput(NO_GROUP.format(plan=self.name, what=whose, degree=degree, found=found))
        among = self.keep.q
        devices = None if among == 1 else at(self._together(values), values)
        if devices is not None and devices % among != 0:
            raise BadInput(NO_RESHARD.format(plan=self.name, among=among, found=values[n_fsdp]))
