"""`Buckets`: how many gradient buckets hide most of what is sent while the backward pass runs."""

from __future__ import annotations

import sympy as sp

from symbolic_mem.base.values import dataclass


@dataclass(frozen=True)
class Buckets:
    """Gradients of `size` bytes sent in n buckets while the backward pass runs; the last one is not hidden.

    `bandwidth` is in bytes/s, `overhead` in seconds for each call. Overhead of DDP: s/(n w) + n o (CS336, assignment
    2, bucketed data parallelism).
    """

    size: sp.Expr
    bandwidth: sp.Expr
    overhead: sp.Expr

    def time(self, buckets: sp.Expr) -> sp.Expr:
        """Seconds that are not hidden when there are that many `buckets`."""
        return self.size / (buckets * self.bandwidth) + buckets * self.overhead

    @property
    def best(self) -> sp.Expr:
        """The number of buckets at which the derivative of the time is zero.

        >>> s, w, o = sp.symbols("s w o", positive=True)
        >>> Buckets(s, w, o).best ** 2, Buckets(s, w, o).best_size ** 2
        (s/(o*w), o*s*w)
        """
        return sp.sqrt(self.size / (self.bandwidth * self.overhead))

    @property
    def best_size(self) -> sp.Expr:
        """Bytes of one bucket at that number."""
        return sp.sqrt(self.size * self.bandwidth * self.overhead)
