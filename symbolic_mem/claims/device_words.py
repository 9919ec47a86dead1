"""A count in devices of a name, such as "46 H100s": the questions of a study that are about such a device."""

from __future__ import annotations

import re
from dataclasses import replace

from symbolic_mem.base.errors import BadInput
from symbolic_mem.claims.claim import Claim
from symbolic_mem.claims.subjects import degrees
from symbolic_mem.hardware.devices import Device
from symbolic_mem.study.question import Question
from symbolic_mem.study.study import Study

_ANY = re.compile(r"\b(?:an?|the|each|one|of|on|memory|capacity|label|has)\b", re.IGNORECASE)
_PLAIN = re.compile(r"(?:gpu|tpu|chip|device|card|accelerator)s?")


def of_device(study: Study, claim: Claim, label: str | None) -> tuple[Claim, tuple[str, ...]]:
    """Return a claim counted in devices of a name as one in devices, and the labels of the questions about such a device.

    Of any other claim there are none. Raises `BadInput` where the question with `label` is about another device.

    >>> from symbolic_mem.claims.read import read_claim
    >>> from symbolic_mem.library.read import load_study
    >>> study = load_study("cs336-a2-xxl")
    >>> [of_device(study, read_claim(text), None)[1] for text in ("68 H100s", "46 TPU v5p chips", "46 GPUs")]
    [('a',), ('b', 'b, literally', 'b, remark'), ()]
    """
    words = _words(claim.unit)
    if claim.spelled is None or not any(re.search(r"\d", word) for word in words):
        return claim, ()
    devices = {one.label: _device(study, one) for one in study.questions if _counts_devices(study, one)}
    titles = {each: device.title for each, device in devices.items() if device is not None}
    labels = tuple(each for each, title in titles.items() if words <= _words(title))
    if labels and label is not None and label not in labels:
        raise BadInput(
            f"claim {claim.stated!r}: question {label!r} is about {titles.get(label, 'no such device')}; ask {labels[0]!r}, or "
            "claim a number of devices"
        )
    counted = replace(claim, spelled=replace(claim.spelled, unit="devices")) if labels else claim
    return counted, labels if label is None else (label,) * bool(labels)


def names_device(name: str, device: Device) -> bool:
    """Whether a name is that of a device, or of any: "H100", "device", "memory of a GPU".

    >>> from symbolic_mem.hardware.catalogue import device
    >>> [names_device(name, device("h100-80gb")) for name in ("H100", "h100-80gb", "GPU memory", "A100", "M_device")]
    [True, True, True, False, False]
    """
    words = _words(_ANY.sub(" ", name))
    return words <= _words(f"{device.title} {device.name}")


def _words(name: str) -> frozenset[str]:
    """The words of a device's name, in the singular and without those that any device may have."""
    words = (word for word in re.findall(r"[a-z0-9.]+", name.lower()) if not _PLAIN.fullmatch(word))
    return frozenset(word.removesuffix("s") if re.search(r"\d", word) else word for word in words)


def _device(study: Study, question: Question) -> Device | None:
    return study.under(question).capacity.device


def _counts_devices(study: Study, question: Question) -> bool:
    counts = {"devices", *map(str, degrees(study))}
    return not counts.isdisjoint(question.claimable) and study.under(question).device.name is not None
