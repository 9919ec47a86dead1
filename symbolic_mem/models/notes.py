"""Which of the assumptions of a profile are said of a model: those that apply to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from symbolic_mem.models.architecture import Architecture
from symbolic_mem.models.attention import heads_with_keys, repeats
from symbolic_mem.models.families import does
from symbolic_mem.models.profile import Profile

Applies = Callable[[Architecture, Profile], bool]


def notes(architecture: Architecture, how: Profile, loss: str = "") -> Iterator[str]:
    """Give the assumptions of a profile that apply to a model, in their order; those about its own loss without another `loss`.

    >>> from symbolic_mem.models.profile import profile
    >>> list(notes(Architecture(norm="layer"), profile("hf-cuda-bf16")))[-1]
    'The loss converts the logits to FP32.'
    """
    for note in how.assumptions:
        if note.when == OWN_LOSS and loss:
            continue
        if not note.when or WHEN[note.when](architecture, how):
            yield note.words


def _keeps_scores(architecture: Architecture, how: Profile) -> bool:
    return "probabilities" in how.row(f"attention {how.kernel}")


def _repeats_keys(architecture: Architecture, how: Profile) -> bool:
    few = heads_with_keys(architecture.n_kv, architecture.n_heads, architecture.values())
    return architecture.latent is None and (few == "some" or (few == "one" and _keeps_scores(architecture, how)))


def _repeats_by_parts(architecture: Architecture, how: Profile) -> bool:
    return _keeps_scores(architecture, how) and _repeats_keys(architecture, how)


def _repeats_for_a_mask(architecture: Architecture, how: Profile) -> bool:
    """Whether a kernel gets repeated keys, which transformers (integrations/sdpa_attention.py, use_gqa_in_sdpa) makes beside a mask alone."""
    return repeats(how) and not _keeps_scores(architecture, how) and _repeats_keys(architecture, how)


def _drops_out(architecture: Architecture, how: Profile) -> bool:
    a = architecture
    return any(rate != 0 for rate in (a.attention_dropout, a.residual_dropout, a.embedding_dropout))


OWN_LOSS = "own loss"
WHEN: dict[str, Applies] = {
    "scores": _keeps_scores,
    "repeated keys": _repeats_keys,
    "repeated by parts": _repeats_by_parts,
    "repeated for a mask": _repeats_for_a_mask,
    "dropout": _drops_out,
    "16-bit kernel": lambda architecture, how: how.kernel in ("flash", "flash_gqa", "cudnn"),
    "rmsnorm": lambda architecture, how: architecture.norm == "rms",
    OWN_LOSS: lambda architecture, how: architecture.head == "language model",
    "gated": lambda architecture, how: architecture.gated,
    "router in FP32": lambda architecture, how: (
        architecture.experts is not None and does(architecture.family, "router in FP32")
    ),
    "gelu": lambda architecture, how: architecture.activation.startswith("gelu"),
}
