"""What a device offers: three readings of its memory, its FLOP/s, and bandwidths that carry their direction."""

from __future__ import annotations

from dataclasses import field
from fractions import Fraction

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.once import hashed_once
from symbolic_mem.base.values import dataclass

READINGS = ("marketed", "binary", "reported")
DIRECTIONS = ("one-way", "both-ways", "unstated")
SCOPES = ("per chip", "per package", "per link", "per node")
# From the strongest evidence to the weakest: the vendor's own page, paper or repository, read; printed by a machine; the
# vendor's sheet where somebody else quotes it; a table of somebody else; known, without a page that was read.
CONFIDENCES = ("vendor", "log", "quoted", "third-party", "memory")
FIGURES = {"flops_bf16": "dense BF16 FLOP/s", "memory_bandwidth": "memory bandwidth"}


@dataclass(frozen=True)
class Evidence:
    """Where a group of facts comes from, when that was read, and how far it can be trusted (see `CONFIDENCES`).

    `called` is what the source calls the figure, where its own words were read.
    """

    about: str
    source: str
    date: str
    confidence: str
    called: str = ""


@dataclass(frozen=True)
class Bandwidth:
    """Bytes per second over the link `name`; what they count (`direction`, `scope`) is part of the value.

    ``one-way`` is one direction, ``both-ways`` both directions added, ``unstated`` when the source does not say.
    """

    name: str
    bytes_per_second: int | Fraction
    direction: str
    scope: str
    evidence: Evidence

    def __str__(self) -> str:
        """Say which bandwidth this is, without its size."""
        return f"{self.name} {self.scope} {self.direction}"


@dataclass(frozen=True)
class Process:
    """Bytes that a process finds free on a device, and `by` what they are shown."""

    bytes: int | Fraction
    by: str
    evidence: Evidence


@dataclass(frozen=True)
class Second:
    """A figure of which another source, or another version of the source, says something else: both are kept.

    `value` is in bytes, bytes/s or FLOP/s, as `says` writes it.
    """

    of: str
    value: int | Fraction
    says: str
    why: str
    evidence: Evidence


@hashed_once
@dataclass(frozen=True, repr=False)
class Device:
    """One device, a chip unless its title says otherwise; amounts of memory are in bytes, None where not known.

    `label` is the capacity as printed by the vendor: `marketed` counts its number in 10^9 bytes, `binary` in 2^30.
    `reported` is what `reported_by` shows; where that is printed with few figures, `reported_as` holds them.
    `process` is what a process finds free there. `memory_bandwidth` is in bytes/s, reads and writes
    together. `seconds` are figures on which sources differ.
    """

    name: str
    title: str
    vendor: str
    label: str = ""
    marketed: int | Fraction | None = None
    binary: int | Fraction | None = None
    reported: int | Fraction | None = None
    reported_by: str = ""
    reported_as: str = ""
    process: Process | None = None
    flops_bf16: int | None = None
    memory_bandwidth: int | Fraction | None = None
    bandwidths: tuple[Bandwidth, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    seconds: tuple[Second, ...] = ()
    notes: tuple[str, ...] = field(default=(), repr=False)

    def __repr__(self) -> str:
        return f"<device {self.name}: {self.title}>"

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        from symbolic_mem.base.rational import symbolic
        from symbolic_mem.document.prose import Amount, Prose, say, text
        from symbolic_mem.render.notebook import bundle, facts

        def size(number: int | Fraction | None) -> Prose:
            if number is None:
                return text("not known")
            whole, unit = Amount(symbolic(number), "bytes", digits=14), Amount(symbolic(number), "GiB")
            return say("{whole} ({unit})", whole=whole, unit=unit)

        def rate(number: int | Fraction, unit: str) -> Prose:
            return say("{rate}", rate=Amount(symbolic(number), unit))

        rows = [("label", text(self.label or "not known"))]
        rows += [(f"{reading} bytes", size(getattr(self, reading))) for reading in READINGS]
        if self.flops_bf16 is not None:
            rows.append(("dense BF16", rate(self.flops_bf16, "FLOP/s")))
        if self.memory_bandwidth is not None:
            rows.append(("own memory", rate(self.memory_bandwidth, "bytes/s")))
        rows += [(str(link), rate(link.bytes_per_second, "bytes/s")) for link in self.bandwidths]
        rows.append(("sources", text(self.cited())))
        return bundle(repr(self), [facts(self.name, rows)], self.title)

    def capacity(self, reading: str) -> int | Fraction:
        """Return the bytes of memory under a `reading`: ``marketed``, ``binary`` or ``reported``.

        Raises `BadInput` for another reading, and for one that is not known of this device.
        """
        if reading not in READINGS:
            raise BadInput.unknown(f"unknown reading {reading!r} of the capacity of {self.name}", reading, READINGS)
        amount = getattr(self, reading)
        if amount is None:
            known = [other for other in READINGS if getattr(self, other) is not None]
            said = f"{self.name} has no {reading} capacity in the catalogue"
            if known:
                raise BadInput.one_of(said, known)
            raise BadInput(f"{said}; no reading is known; give the capacity itself")
        return amount

    @property
    def nearest_reading(self) -> str:
        """The reading that comes nearest to what a run has: the first that is known of ``reported``, ``binary`` and ``marketed``."""
        return next((one for one in reversed(READINGS) if getattr(self, one) is not None), "binary")

    def few_figures(self, reading: str | None) -> str:
        """Return the amount of a `reading` as it is printed, where that has few figures; empty where all are known."""
        return self.reported_as if reading == "reported" else ""

    def figure(self, name: str) -> int | Fraction:
        """Return ``flops_bf16`` (dense FLOP/s) or ``memory_bandwidth`` (bytes/s).

        Raises `BadInput` when the catalogue does not have it.
        """
        if name not in FIGURES:
            raise BadInput.unknown(f"unknown figure {name!r} of {self.name}", name, FIGURES)
        value = getattr(self, name)
        if value is None:
            raise BadInput(
                f"{self.name} has no {FIGURES[name]} in the catalogue; give the value, or add it in a device file"
            )
        return value

    def link(self, name: str | None = None, *, direction: str, scope: str | None = None) -> Bandwidth:
        """Return the one interconnect bandwidth with this `direction`, narrowed by `name` (``ICI``) and `scope`.

        A direction is never derived from another: half of a sum is a claim that the source did not make.
        Raises `BadInput` when no bandwidth or more than one answers.
        """
        if direction not in DIRECTIONS:
            raise BadInput.unknown(f"unknown direction {direction!r}", direction, DIRECTIONS)
        if scope is not None and scope not in SCOPES:
            raise BadInput.unknown(f"unknown scope {scope!r}", scope, SCOPES)
        found = [
            bandwidth
            for bandwidth in self.bandwidths
            if bandwidth.direction == direction and name in (None, bandwidth.name) and scope in (None, bandwidth.scope)
        ]
        if len(found) == 1:
            return found[0]
        asked = " ".join(word for word in (name, scope, direction) if word)
        if found:
            raise BadInput(
                f"{self.name} has several bandwidths {asked!r}; say which by name and scope: {_listed(found)}"
            )
        if not self.bandwidths:
            raise BadInput(f"{self.name} has no interconnect in the catalogue; give the bandwidth itself")
        raise BadInput.one_of(f"{self.name} has no bandwidth {asked!r} in the catalogue", self.bandwidths)

    def evidence_for(self, about: str) -> Evidence:
        """Return where the ``capacity``, ``reported``, ``bandwidth`` or ``flops`` of this device come from."""
        for evidence in self.evidence:
            if evidence.about == about:
                return evidence
        raise BadInput.unknown(
            f"{self.name} has no facts about {about!r}", about, [each.about for each in self.evidence]
        )

    def cited(self, *about: str) -> str:
        """Say of each figure, or of those `about` some facts, where it was read and when, with what it is called there.

        >>> from symbolic_mem.hardware.catalogue import device
        >>> device("tpu-v3").cited("capacity", "ICI")  # doctest: +ELLIPSIS
        'capacity (“HBM2 capacity and bandwidth”): cloud.google.com/tpu/docs/v3, 2026-11-23, vendor; ICI (“ICI BW/link (one-way, bytes/s)”): How to ...'
        """
        sources: dict[tuple[str, str, str], list[str]] = {}
        for each in self.origins:
            if not about or each.about in about:
                called = f" (“{each.called}”)" if each.called else ""
                sources.setdefault((each.source, each.date, each.confidence), []).append(each.about + called)
        return "; ".join(f"{', '.join(dict.fromkeys(said))}: {', '.join(at)}" for at, said in sources.items())

    @property
    def origins(self) -> tuple[Evidence, ...]:
        """Where every figure comes from, links by their names."""
        of_process = () if self.process is None else (self.process.evidence,)
        return self.evidence + of_process + tuple(bandwidth.evidence for bandwidth in self.bandwidths)

    @property
    def source(self) -> str:
        """All sources of this device, each once, in the order of its facts."""
        return "; ".join(dict.fromkeys(each.source for each in self.origins))

    @property
    def date(self) -> str:
        """The oldest date of its evidence, as ISO 8601 text."""
        return min((each.date for each in self.origins), default="undated")

    @property
    def confidence(self) -> str:
        """The weakest confidence of its evidence."""
        return max((each.confidence for each in self.origins), key=CONFIDENCES.index, default="memory")


def _listed(bandwidths: list[Bandwidth] | tuple[Bandwidth, ...]) -> str:
    return ", ".join(str(bandwidth) for bandwidth in bandwidths)
