"""What the bundled studies must answer, recomputed from plain formulas: nothing here knows the package.

Each function takes the values of a study by name and returns, by question, the numbers of its answer. `None` stands where
there is no answer. Where a question fixes a value itself, so does the formula here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from math import ceil, floor, log2, sqrt
from typing import Any

Values = Mapping[str, Any]
Numbers = dict[str, Any]
GIB, TPU = 2**30, {"marketed": 95 * 10**9, "binary": 95 * 2**30, "reported": 102_800_042_229}
H100 = {"marketed": 80 * 10**9, "binary": 80 * 2**30, "reported": 81559 * 2**20}


def parameters(v: Values) -> int:
    d = v["d_model"]
    return 2 * v["V"] * d + v["L"] * (4 * d**2 + 3 * d * v["d_ff"] + 2 * d) + d


def flops(v: Values) -> Numbers:
    b, s, d, layers = v["B"], v["S"], v["d_model"], v["L"]
    parts = {
        "attention": layers * 8 * b * s * d**2,
        "attention scores": layers * 4 * b * s**2 * d,
        "mlp": layers * 6 * b * s * d * v["d_ff"],
        "head": 2 * b * s * d * v["V"],
    }
    return {**parts, "value": sum(parts.values())}


def of_cases(of: Callable[[Values], Numbers], v: Values, cases: Mapping[str, Values]) -> Numbers:
    return {f"{case}/{name}": number for case, given in cases.items() for name, number in of({**v, **given}).items()}


def transformer(widths: tuple[int, ...]) -> Callable[[Values], dict[str, Numbers]]:
    sizes = zip(
        ("small", "medium", "large", "XL"),
        ((12, 768, 12), (24, 1024, 16), (36, 1280, 20), (48, 1600, 25)),
        widths,
        strict=True,
    )
    models = {n: {"L": size[0], "d_model": size[1], "n_heads": size[2], "d_ff": width} for n, size, width in sizes}
    contexts = {"1024 tokens": {"S": 1024}, "16,384 tokens": {"S": 16384}}

    def recomputed(v: Values) -> dict[str, Numbers]:
        p = parameters(v)
        return {
            "a": {"P": p, "M_load": 4 * p, "M_bin": 4 * p},
            "b": flops(v),
            "c": flops(v),
            "d": of_cases(flops, v, models),
            "e": of_cases(flops, v, contexts),
        }

    return recomputed


def adamw(inner: int, rate: float, seconds: int, name: str) -> Callable[[Values], dict[str, Numbers]]:
    """`inner` counts the kept tensors of the inner width; the batch and the rate of (d) are those of the question."""

    def recomputed(v: Values) -> dict[str, Numbers]:
        s, d, p = v["S"], v["d_model"], parameters(v)
        block = 8 * d + inner * v["d_ff"] + 2 * v["n_heads"] * s
        each, states = 4 * s * (v["L"] * block + d + 2 * v["V"]), 16 * p
        most = {cap: (cap - states) // each for cap in (80 * 10**9, 80 * 2**30)}
        here = {**v, "B": v.get("B", 1024), "C": v.get("C", rate)}
        forward = flops(here)["value"]
        step = 3 * forward + 14 * p
        time = step / (v["MFU"] * here["C"])
        return {
            "a": {"value": None},
            "b": {"value": most[80 * 10**9] if most[80 * 10**9] > 0 else None},
            "b, binary": {"value": most[80 * 2**30] if most[80 * 2**30] > 0 else None},
            "c": {"P": p, "F_first": 3 * p, "F_second": 4 * p, "F_update": 5 * p, "F_decay": 2 * p, "F_adamw": 14 * p},
            "d": {
                "P": p,
                "F_forward": forward,
                "F_step": step,
                "t_step": time,
                name: v["n_steps"] * time / seconds,
            },
        }

    return recomputed


def sizes(v: Values) -> dict[str, Numbers]:
    models = {
        "small": (12, 768, 3072),
        "medium": (24, 1024, 4096),
        "large": (36, 1280, 5120),
        "xl": (48, 1600, 6400),
        "2.7B": (32, 2560, 10240),
    }
    table = {name: {"L": one[0], "d_model": one[1], "d_ff": one[2]} for name, one in models.items()}
    lengths = {f"{s} tokens": {"S": s} for s in (128, 256, 512)}
    return {
        "table 1": of_cases(lambda w: {"P": parameters(w)}, v, table),
        "memory_profiling (d)": of_cases(stream, v, lengths),
        "pytorch_attention (a)": of_cases(attention, v, LONG),
    }


def stream(v: Values) -> Numbers:
    return {"M_stream": 4 * v["B"] * v["S"] * v["d_model"]}


def attention(v: Values) -> Numbers:
    scores, vectors = 8 * v["B"] * v["S"] ** 2, 16 * v["B"] * v["S"] * v["d_model"]
    return {
        "M_scores": scores,
        "M_vectors": vectors,
        "M_attention": scores + vectors,
        "r_scores": Fraction(100 * scores, scores + vectors),
    }


LONG = {f"{s} tokens": {"B": 8, "S": s, "d_model": 16} for s in (4096, 8192, 16384)}


def block(v: Values) -> Numbers:
    b, s, d, heads = v["B"], v["S"], v["d_model"], v["n_heads"]
    linear, scores = 4 * b * s * (8 * d + 3 * v["d_ff"]), 8 * b * heads * s**2 + 16 * b * heads * s
    rest = 8 * b * s + Fraction(4 * s * d, heads)
    return {"M_linear": linear, "M_heads": scores, "M_rest": rest, "M_block": linear + scores + rest}


def sizes_2026(v: Values) -> dict[str, Numbers]:
    models = {
        "small": (12, 768, 3072, 10000),
        "medium": (24, 1024, 4096, 10000),
        "large": (36, 1280, 5120, 10000),
        "xl": (32, 2560, 10240, 10000),
        "10B": (50, 4608, 12288, 10000),
        "leaderboard": (34, 4096, 11008, 151936),
    }
    table = {n: {"L": one[0], "d_model": one[1], "d_ff": one[2], "V": one[3]} for n, one in models.items()}
    lengths = {f"{s} tokens": {"S": s} for s in (128, 512, 2048)}
    b, s, d, heads, layers = v["B"], v["S"], v["d_model"], v["n_heads"], v["L"]
    wide, kept = stream(v), block(v)
    one, point = kept["M_block"], wide["M_stream"]
    return {
        "table 1": of_cases(lambda w: {"P": parameters(w)}, v, table),
        "memory_profiling (d)": of_cases(stream, v, lengths),
        "3.2": {
            **wide,
            "M_wide": 8 * point,
            "M_inner": 12 * b * s * v["d_ff"],
            "M_scores": 8 * b * heads * s**2,
            "M_rows": 16 * b * heads * s,
            "M_norms": 8 * b * s,
            "M_rope": Fraction(4 * s * d, heads),
            "M_block": one,
            "M_layer": one,
            "M_four": 4 * one,
            "M_all": layers * one,
            "M_pairs": 2 * point,
        },
        "3.2, heads": of_cases(block, v, {"16 heads": {"n_heads": 16}, "32 heads": {"n_heads": 32}}),
        "gradient_checkpointing (a)": {
            **wide,
            **kept,
            "k_levels": ceil(log2(layers)),
            "M_plain": layers * one,
            "M_chain": point + one,
            "n_chain": sum(range(layers + 1)),
            "M_nested": ceil(log2(layers)) * point + one,
            "n_nested": ceil(log2(layers)) * layers,
        },
        "gradient_checkpointing (b)": {
            **wide,
            **kept,
            "M_one": (layers - 1) * point + one,
            "M_two": (ceil(layers / 2) - 1) * point + 2 * one,
            "M_fours": (ceil(layers / 4) - 1) * point + 4 * one,
            "k_best": sqrt(layers * point / one),
        },
        "pytorch_attention (a)": of_cases(attention, v, LONG),
    }


def sharding(v: Values) -> dict[str, Numbers]:
    p, n = parameters(v), v["n_fsdp"]
    asked = (1, 2) if n == 2 else (n,)  # the rows of the study, or the degree that a caller gives
    cells = {
        f"stage {stage}, {k}": 16 * p if stage == 0 else 8 * p + Fraction(8 * p, k) for stage in (0, 1) for k in asked
    }
    here = Fraction(12 * p * (n - 1), n)
    kept = {"M_weights": 4 * p, "M_gradients": 4 * p}
    return {
        "a": cells,
        "a, moments": {
            **kept,
            "M_optimizer": 8 * p,
            "M_first": 8 * p,
            "M_whole": 16 * p,
            "M_sharded": 8 * p + Fraction(8 * p, n),
        },
        "c": {**kept, "V_here": here, "V_zero": here * Fraction(2, 3), "r_more": Fraction(3, 2)},
    }


def sharding_2026(v: Values) -> dict[str, Numbers]:
    p, n = parameters(v), v["n_fsdp"]
    norms = (2 * v["L"] + 1) * v["d_model"]
    sharded, fsdp = 8 * p + Fraction(8 * p, n), Fraction(16 * (p - norms), n) + 16 * norms
    kept = {"M_weights": 4 * p, "M_gradients": 4 * p, "M_optimizer": 8 * p, "P": p}
    here = {"P_norms": norms, "M_norms": 16 * norms, "M_sharded": sharded, "M_fsdp": fsdp, "M_saved": sharded - fsdp}
    return {**sharding(v), "fsdp_accounting (a)": kept | here}


def buckets(_: Values) -> dict[str, Numbers]:
    size, rate, call = 8e9, 450e9, 1e-4
    whole = min((13, 14), key=lambda n: size / (n * rate) + n * call)
    formulas = {
        "buckets": "sqrt(s)/(sqrt(o)*sqrt(w))",
        "bucket_bytes": "sqrt(o)*sqrt(s)*sqrt(w)",
        "whole_buckets": None,
    }
    numbers = {"buckets": sqrt(size / rate / call), "bucket_bytes": 6e8, "whole_buckets": whole}
    return {"b": formulas, "b, example": numbers}


def mesh_2026(v: Values) -> dict[str, Numbers]:
    a, b = v["B"] * v["S"] * v["W"] / v["C"], 3 * v["d_ff"] * v["W"] / (2 * v["C"])
    bounds = {"dp backward": 1 + a, "fsdp forward": 1 + a, "fsdp backward": 1 + a}
    bounds |= {"tp forward": 1 + b, "tp backward": 1 + 2 * b}
    bounds |= {"max": (1 + a) * (1 + b), "sum": a * b / 4 * (1 + 1 / a + 1 / b) ** 2}
    whole = {f"whole {name}": floor(bound) for name, bound in bounds.items() if name not in ("max", "sum")}
    whole["whole max"] = floor(1 + a) * floor(1 + b)
    n, size = v["n_ring"], v["M_sent"]
    alternate, ring = (n - 1) * size / v["W"], 2 * (n - 1) / n * size / v["W"]
    return {
        "alternate_ring_all_reduce": {"t_alternate": alternate, "t_ring": ring, "r_slower": Fraction(n, 2)},
        **dict.fromkeys(("data_parallel_calcs", "fsdp_calcs", "tp_calcs", "fsdp_tp_calcs"), bounds | whole),
    }


def stack(v: Values) -> tuple[int, int]:
    """Bytes of all states, and of the activations of the whole batch."""
    d, f, layers = v["d_model"], v["d_ff"], v["L"]
    return 32 * layers * d * f, 2 * layers * (d + f) * v["B"] * v["S"]


def first_below(whole: Any, room: int) -> int | None:
    """The first n with whole/n < room."""
    return None if room <= 0 else floor(Fraction(whole, room)) + 1


def xxl(v: Values) -> dict[str, Numbers]:
    states, kept = stack(v)
    d, f, layers, tokens = v["d_model"], v["d_ff"], v["L"], v["B"] * v["S"]
    half = Fraction(kept, 2)
    again = 2 * tokens * (d * ceil(layers / 2) + (d + f) * (layers // 2))
    chips, x, y, m_x, m_y = v["X"] * v["Y"], v["X"], v["Y"], v["M_X"], v["M_Y"]
    alpha = Fraction(v["C"]) / Fraction(v["W"])
    given, tensor = x * alpha / m_x, y * alpha / m_y
    best, whole = chips * alpha**2 / (f * m_x * m_y), []
    for one in range(1, chips + 1):
        if chips % one == 0 and (one == chips or f > chips // one * alpha / m_y):
            whole.append(one * alpha / m_x if one > 1 else Fraction(0))
    sent_sum = f * x * m_y * alpha / (m_x * (f * m_y - y * alpha)) if f * m_y > y * alpha else None
    feasible = f > tensor
    return {
        "a": {
            "value": ceil(Fraction(states + kept, H100["binary"])),
            **{f"reading {name}": ceil(Fraction(states + kept, room)) for name, room in H100.items()},
        },
        "b": {
            "value": first_below(states + half, TPU["binary"]),
            **{f"reading {name}": first_below(states + half, room) for name, room in TPU.items()},
        },
        "b, literally": {"value": first_below(states + half, TPU["binary"] - half)},
        "b, remark": {"value": first_below(states + again, TPU["binary"])},
        "c": {"critical_batch_tokens": given if feasible else None, "per_chip": given / chips if feasible else None},
        "d": {
            "critical_batch_tokens": given if feasible else None,
            "More mesh axes": given * m_x / (m_x - 1),
            "The best X and Y": best if 1 <= chips * alpha / (f * m_y) <= chips else None,
            "A wider feed-forward layer": best / 2 if 1 <= chips * alpha / (2 * f * m_y) <= chips else None,
            "Gradient accumulation does not help": 4 * given if feasible else None,
            "Lower precision in what is sent": given / 2,
            "Hierarchical sharding": given - 4 * alpha / m_x,
            "Overlapping the two axes": sent_sum,
            "Pipelining": given / 4,
            "Experts, and expert parallelism": 4 * given,
        },
    }


def computes(v: Values) -> dict[str, Numbers]:
    states, kept = stack(v)
    tokens, sequence, beta = v["B"] * v["S"], v["S"], Fraction(v["C"]) / (v["M_X"] * Fraction(v["W"]))
    each = Fraction(kept, 2 * tokens)  # of half of the activations, for one token

    def held(label: str, n: int, t: int) -> Fraction:
        match label:
            case "a":
                return Fraction(states + each * t, n)
            case "b":
                return Fraction(states + 2 * each * t, n)
            case "c":
                return each * Fraction(t, n) + Fraction(states + each * Fraction(t, n), n)
        return each * t + Fraction(states + each * t, n)

    def both(label: str) -> Numbers:
        most = ceil(tokens / beta) - 1
        fitting = [n for n in range(1, most + 1) if held(label, n, tokens) < TPU["binary"]]
        first = None
        for n in range(1, 400):
            t = (floor(n * beta) // sequence + 1) * sequence
            if held(label, n, t) < TPU["binary"]:
                first = (t, n)
                break
        return {
            "value": fitting[0] if fitting else None,
            "interval": [fitting[0], fitting[-1]] if fitting else None,
            "first_batch_tokens": None if first is None else first[0],
            "first_batch_degree": None if first is None else first[1],
        }

    return {label: both(label) for label in "abcd"}


RECOMPUTED: dict[str, Callable[[Values], dict[str, Numbers]]] = {
    "cs336-a1-transformer": transformer((3072, 4096, 5120, 6400)),
    "cs336-a1-2026-transformer": transformer((2048, 2752, 3392, 4288)),
    "cs336-a1-adamw": adamw(2, 19.5e12, 86400, "t_days"),
    "cs336-a1-2026-adamw": adamw(4, 495e12, 3600, "t_hours"),
    "cs336-a2-memory": sizes,
    "cs336-a2-2026-memory": sizes_2026,
    "cs336-a2-optimizer-sharding": sharding,
    "cs336-a2-2026-sharding": sharding_2026,
    "cs336-a2-buckets": buckets,
    "cs336-a2-2026-mesh": mesh_2026,
    "cs336-a2-xxl": xxl,
    "fits-and-computes": computes,
}
