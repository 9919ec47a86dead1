"""The memory of the hosts as a second capacity: the keys of a question, and the rule that they make for a degree.

What only an answer needs is imported when the question is answered.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import sympy as sp

from symbolic_mem.base.errors import BadInput, at_place
from symbolic_mem.base.rational import Number
from symbolic_mem.base.symbols import n_pp
from symbolic_mem.base.units import parse_bytes
from symbolic_mem.base.values import dataclass
from symbolic_mem.study.keys import At, words
from symbolic_mem.study.study import Study

if TYPE_CHECKING:
    from symbolic_mem.accounts.terms import Memory
    from symbolic_mem.solvers.host import HostHolds
    from symbolic_mem.solvers.layout import Layout
    from symbolic_mem.solvers.rules import Rule


@dataclass(frozen=True)
class Host:
    """The memory of one host in bytes, and as it was written."""

    bytes: Number
    written: str


def host(given: Any, at: At) -> Host:
    """Read the memory of one host, such as ``512 GiB``."""
    written = words(given, at)
    with at_place(at.where):
        return Host(parse_bytes(written), " ".join(written.split()))


def need_both(host: Host | None, per_host: int | None, where: str) -> None:
    """Refuse the memory of a host without the number of devices that share it, or the other way round."""
    if host is not None and per_host is None:
        raise BadInput(
            f"{where}: host = {host.written!r}: say how many devices share a host, as in per_host = 8, or --per-host 8"
        )
    if host is None and per_host is not None:
        raise BadInput(
            f'{where}: per_host = {per_host}: say the memory of one host, as in host = "512 GiB", or --host "512 GiB"'
        )


def host_rule(study: Study, symbol: sp.Symbol, host: Host, per_host: int, others: Sequence[Rule | Layout]) -> HostHolds:
    """The rule that a host holds what is offloaded of the devices on it.

    Raises `BadInput` where nothing is offloaded, where tensors are cut into whole pieces, and under pipelines.
    """
    from symbolic_mem.base.limit import Limit
    from symbolic_mem.questions.parts.assumptions import ranks_beside
    from symbolic_mem.solvers.bound import Bound
    from symbolic_mem.solvers.host import HostHolds
    from symbolic_mem.solvers.layout import Layout

    pieces = next((rule for rule in others if isinstance(rule, Layout)), None)
    if pieces is not None:
        raise BadInput(
            f"{study.name}: what a host holds is counted as divided evenly, and not under the rule that {pieces.words}; leave one of "
            "them out"
        )
    bound = Bound(offloaded(study), symbol, Limit(host.bytes))
    return HostHolds(bound.divided, bound.fixed, host.bytes, per_host, ranks_beside(study, symbol), host.written)


def offloaded(study: Study) -> Memory:
    """What the host holds for one device, where that is asked about.

    Raises `BadInput` where nothing is offloaded, and under pipelines.
    """
    from symbolic_mem.questions.parts.hosted import hosted

    if not study.recipe.offload:
        raise BadInput(
            f"{study.name}: the memory of a host is asked about, and nothing is offloaded to it; add --offload KINDS, or "
            'offload = ["optimizer"] to [recipe]'
        )
    if study.plan is not None and n_pp in study.plan.axes:
        raise BadInput(
            f"{study.name}: under plan {study.plan.name!r} the stages of a pipeline hold different parts, and what their hosts hold "
            "is not described; leave the host out"
        )
    return hosted(study)
