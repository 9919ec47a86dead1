"""Small optima and totals beside the roofline: gradient buckets, days of training, time of one decoding step."""

from __future__ import annotations

from dataclasses import dataclass

import sympy as sp

from symbolic_mem.base.errors import BadInput

SECONDS_PER_DAY = 86_400


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


def seconds(flops: sp.Expr, chips: sp.Expr, rate: sp.Expr, utilisation: sp.Expr = sp.S.One) -> sp.Expr:
    """Seconds for `flops` on `chips` of `rate` FLOP/s each, of which a part `utilisation` is reached.

    >>> seconds(*map(sp.Integer, (63 * 10**23, 8960, 459 * 10**12)), sp.Rational(2, 5)) / SECONDS_PER_DAY
    1953125/44064
    """
    if sp.sympify(utilisation).is_number and not 0 < utilisation <= 1:
        raise BadInput(f"the utilisation is {utilisation}; give a part of the peak rate, more than 0 and at most 1")
    return sp.sympify(flops) / (chips * rate * utilisation)


def decode_step(
    batch: sp.Expr, cache_bytes: sp.Expr, weight_bytes: sp.Expr, chips: sp.Expr, memory_bandwidth: sp.Expr
) -> sp.Expr:
    """Least seconds to decode one token for a `batch` of sequences: the memory must be read once.

    `cache_bytes` is the KV cache of one sequence. Source: Scaling Book, chapter Inference.

    >>> decode_step(*map(sp.Integer, (1, 67 * 10**8, 26 * 10**9, 8, 82 * 10**10)))
    327/65600
    """
    return sp.sympify(batch * cache_bytes + weight_bytes) / (chips * memory_bandwidth)


def decode_step_with_compute(
    batch: sp.Expr,
    cache_bytes: sp.Expr,
    weight_bytes: sp.Expr,
    flops_per_token: sp.Expr,
    chips: sp.Expr,
    memory_bandwidth: sp.Expr,
    rate: sp.Expr,
) -> sp.Expr:
    """The same at any batch: reading the caches, and then the slower of reading the weights and multiplying by them.

    Attention is bound by its cache at every batch. Source: Scaling Book, chapter Inference.
    """
    caches = sp.sympify(batch * cache_bytes) / (chips * memory_bandwidth)
    weights = sp.sympify(weight_bytes) / (chips * memory_bandwidth)
    return caches + sp.Max(weights, sp.sympify(batch * flops_per_token) / (chips * rate))


def critical_decode_batch(
    rate: sp.Expr,
    memory_bandwidth: sp.Expr,
    weight_bytes: sp.Expr,
    experts: sp.Expr = sp.S.One,
    visited: sp.Expr = sp.S.One,
) -> sp.Expr:
    """Tokens per step from which reading weights takes less time than multiplying: (C/W) bytes/2 E/k.

    Weights of a mixture of experts are all read, and only k of E used. Source: Scaling Book, chapter Transformers, Q8.

    >>> critical_decode_batch(sp.Integer(240), sp.Integer(1), sp.Integer(1), sp.Integer(256), sp.Integer(8))
    3840
    """
    return sp.sympify(rate) / memory_bandwidth * weight_bytes / 2 * experts / visited
