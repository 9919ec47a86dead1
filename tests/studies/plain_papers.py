"""What the bundled studies of papers and books must answer, recomputed from plain formulas: nothing here knows the package.

Each function takes the values of a study by name and those that a caller set, and returns by question the numbers of its
answer. A caller's value wins over one that a question gives itself, and one that a case gives wins over both.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from math import ceil, floor, sqrt
from typing import Any

from plain_formulas import H100

Values = Mapping[str, Any]
Numbers = dict[str, Any]
DAY = 86400


def exact(number: Any) -> Any:
    return Fraction(str(number)) if isinstance(number, float | str) else number


class At:
    """The values of one question: those of the study, of the question, of the caller and of a case, the last one wins."""

    def __init__(self, *given: Values) -> None:
        self.values = {name: exact(value) for each in given for name, value in each.items()}

    def __getattr__(self, name: str) -> Any:
        return self.values[name]


def cases(of: Callable[[At], Numbers], given: tuple[Values, ...], table: Mapping[str, Values]) -> Numbers:
    return {f"{case}/{name}": number for case, own in table.items() for name, number in of(At(*given, own)).items()}


def root(number: Any) -> float:
    return sqrt(float(number))


# papers


def gpt_parameters(v: At) -> Any:
    return v.L * (12 * v.d_model**2 + 13 * v.d_model) + (v.V + v.n_pos) * v.d_model + 2 * v.d_model


def ptd_p(v: Values, called: Values) -> dict[str, Numbers]:
    def formula(a: At) -> Numbers:
        h, layers = a.d_model, a.L
        size = 12 * layers * h**2 * (1 + Fraction(13, 12 * h) + Fraction(a.V + a.n_pos, 12 * layers * h))
        return {"P": size}

    def days(a: At) -> Numbers:
        seconds = Fraction(8 * a.D * a.Psi) / (a.n_gpus * a.F_gpu)
        return {"t_train": seconds, "t": seconds / DAY}

    widths = {
        "1.7B": (24, 2304),
        "3.6B": (30, 3072),
        "7.5B": (36, 4096),
        "18.4B": (40, 6144),
        "39.1B": (48, 8192),
        "76.1B": (60, 10240),
        "145.6B": (80, 12288),
        "310.1B": (96, 16384),
        "529.6B": (105, 20480),
        "1008.0B": (128, 25600),
    }
    runs = {
        "175 billion": {"Psi": 175 * 10**9, "D": 3 * 10**11, "n_gpus": 1024, "F_gpu": 140 * 10**12},
        "1008 billion": {"Psi": 1008 * 10**9, "D": 45 * 10**10, "n_gpus": 3072, "F_gpu": 163 * 10**12},
        "an even trillion": {"Psi": 10**12, "D": 45 * 10**10, "n_gpus": 3072, "F_gpu": 163 * 10**12},
    }
    a = At(v, called)
    whole = gpt_parameters(a)
    table = {name: {"L": layers, "d_model": width} for name, (layers, width) in widths.items()}
    return {
        "table 1": cases(formula, (v, called), table),
        "exact": {"P_formula": whole - 2 * a.d_model, "P_layers": whole, "P_more": 2 * a.d_model},
        "days": cases(days, (v, called), runs),
    }


def korthikanti(v: Values, called: Values) -> dict[str, Numbers]:
    a = At(v, called)
    sbh, scores = a.B * a.S * a.d_model, Fraction(5 * a.n_heads * a.S, a.d_model)

    def shares(at: At) -> Numbers:
        r = Fraction(5 * at.n_heads * at.S, at.d_model)
        return {"r": r, "f": 100 * r / (34 + r)}

    def left_out(at: At) -> Numbers:
        share = Fraction(at.B * at.S, at.n_tp)
        kept = share * at.L * (34 * at.d_model + 5 * at.n_heads * at.S)
        ends = share * (5 * at.d_model + 4 * at.V)
        return {"M": kept, "M_ends": ends, "w": 100 * ends / kept}

    stages = {"22B": (48, 6144, 4), "175B": (96, 12288, 1), "530B": (105, 20480, 1), "1T": (128, 25600, 1)}
    return {
        "six rows": {
            "M_none": sbh * (34 + scores),
            "M_tp": sbh * (10 + Fraction(24, a.n_tp) + scores / a.n_tp),
            "M_tpsp": sbh * (34 + scores) / a.n_tp,
            "M_tpsel": sbh * (10 + Fraction(24, a.n_tp)),
            "M_tpspsel": Fraction(34 * sbh, a.n_tp),
            "M_full": 2 * sbh,
        },
        "scores": cases(
            shares,
            (v, called),
            {"GPT-3": {"n_heads": 96, "d_model": 12288}, "MT-NLG": {"n_heads": 128, "d_model": 20480}},
        ),
        "pipeline": cases(
            lambda at: {"M": Fraction(34 * at.S * at.B * at.d_model * at.L, at.n_tp)},
            (v, called),
            {name: {"L": layers, "d_model": width, "B": b} for name, (layers, width, b) in stages.items()},
        ),
        "left out": cases(left_out, (v, called), {"22B": {"L": 48, "d_model": 6144, "n_heads": 64, "B": 4}}),
        "engine": engine(a, 18 * gpt_parameters(a), learned=True),
    }


def engine(a: At, states: Any, learned: bool) -> Numbers:
    """The list of the paper beside what PyTorch keeps with memory-efficient attention, and the bytes of the states.

    PyTorch keeps no probabilities (5 a s for each token), but the rows of the norms (mean and reciprocal deviation in
    FP32, two norms a block and the last one), a logsumexp of each head in rows of 32, 16 bytes of the state of a random
    generator for each block, the logits in BF16 alone, and a weight of the loss of 2 bytes. Learned positions have a
    dropout of their own in both, and PyTorch keeps their ids.
    """
    tokens, d = a.B * a.S, a.d_model
    both = tokens * (34 * a.L * d + (5 if learned else 4) * d)
    paper = both + tokens * (5 * a.L * a.n_heads * a.S + 4 * a.V)
    heads = a.L * (128 * a.B * a.n_heads * ceil(Fraction(a.S, 32)) + 16)
    torch = both + 2 * tokens * a.V + 8 * tokens * (2 * a.L + 1) + heads + (8 * a.S if learned else 0) + 2
    return {"first": paper + states, "second": torch + states, "difference_bytes": torch - paper}


def kv_cache(v: Values, called: Values) -> dict[str, Numbers]:
    a = At(v, called)
    kinds = {
        "MHA": 2 * a.n_heads * a.d_head,
        "GQA": 2 * a.n_kv * a.d_head,
        "MQA": 2 * a.d_head,
        "MLA": a.d_c + a.d_rope,
    }
    deepseek, qwen, llama = 61 * (512 + 64), 80 * 2 * 8 * 128, 126 * 2 * 8 * 128
    models = {"DeepSeek-V3": deepseek, "Qwen2.5 72B": qwen, "Llama 3.1 405B": llama}
    more = {"Llama 3.1 8B": 32 * 2 * 8 * 128, "LLaMA-2 13B": 40 * 2 * 40 * 128, "DeepSeek-V2": 60 * (512 + 64)}
    own = At(v, {"L": 64, "d_model": 8192, "n_kv": 64, "d_head": 128}, called)
    cache, estimate = own.b * own.L * 2 * own.n_kv * own.d_head, own.b * own.d_model * own.L
    return {
        "formulas": {f"{name}/k_token": a.b * a.L * width for name, width in kinds.items()},
        "groups": {"n_groups": Fraction(a.d_c + a.d_rope, 2 * a.d_head)},
        "models": {f"{name}/k_token": a.b * width for name, width in models.items()}
        | {f"{name}/r_token": Fraction(width, deepseek) for name, width in models.items()},
        "more": {f"{name}/k_token": a.b * width for name, width in more.items()},
        "an estimator": {"k_token": cache, "k_calc": estimate, "r_calc": Fraction(cache, estimate)},
    }


def palm_chinchilla(v: Values, called: Values) -> dict[str, Numbers]:
    a = At(v, called)
    attention = 12 * a.L * a.n_heads * a.d_head * a.S
    token = 6 * a.N + attention
    peak = a.n_chips * a.F_chip / Fraction(token)

    def table(at: At) -> Numbers:
        d, width, rows = at.d_model, at.n_heads * at.d_head, at.B * at.S
        biases = 3 * width + d + at.d_ff + d
        layer = 4 * d * width + 2 * d * at.d_ff + biases + 4 * d
        size = at.V * d + at.L * layer + 2 * d + at.L * (d**2 + 2 * d)
        products = 2 * rows * (4 * d * width + 2 * d * at.d_ff) + 4 * rows * at.S * width
        blocks = at.L * (products + 3 * at.n_heads * rows * at.S)
        everything = blocks + 4 * rows * at.V * d
        whole = 6 * size * rows
        return {
            "N_all": size,
            "F_blocks": blocks,
            "F_all": everything,
            "r_blocks": Fraction(3 * blocks, whole),
            "r_all": Fraction(3 * everything, whole),
        }

    shapes = {
        "73M": (10, 640, 2560, 10, 64),
        "305M": (20, 1024, 4096, 16, 64),
        "552M": (24, 1280, 5120, 10, 128),
        "1.1B": (26, 1792, 7168, 14, 128),
        "1.6B": (28, 2048, 8192, 16, 128),
        "6.8B": (40, 3584, 14336, 28, 128),
    }
    names = ("L", "d_model", "d_ff", "n_heads", "d_head")
    runs = {"Gopher": {"N": 28 * 10**10, "D": 3 * 10**11}, "Chinchilla": {"N": 7 * 10**10, "D": 14 * 10**11}}
    return {
        "PaLM": {
            "F_N": 6 * a.N,
            "F_att": attention,
            "F_token": token,
            "R_peak": peak,
            "u_model": 100 * a.T_s / peak,
            "u_plain": 100 * a.T_s * 6 * a.N / Fraction(a.n_chips * a.F_chip),
        },
        "Chinchilla": cases(
            table, (v, called), {name: dict(zip(names, shape, strict=True)) for name, shape in shapes.items()}
        ),
        "6ND": cases(lambda at: {"C_train": 6 * at.N * at.D}, (v, called), runs),
    }


def utilisation(v: Values, called: Values) -> dict[str, Numbers]:
    def step(a: At) -> Numbers:
        h, tokens = a.d_model, a.B * a.S
        model = 72 * a.L * tokens * h**2 + 12 * a.L * tokens * a.S * h + 6 * tokens * h * a.V
        again = 4 * a.L * tokens * a.S * h
        peak = a.t_step * a.n_gpus * a.F_gpu / Fraction(100)
        return {"F_model": model, "F_again": again, "u_model": model / peak, "u_hardware": (model + again) / peak}

    rows = {
        "22B": (48, 6144, 4, 8, "1.10"),
        "175B": (96, 12288, 64, 64, "13.75"),
        "530B": (105, 20480, 280, 280, "37.83"),
        "1T": (128, 25600, 512, 512, "71.49"),
        "530B on 2240 GPUs": (105, 20480, 2240, 2240, "39.15"),
    }
    names = ("L", "d_model", "B", "n_gpus", "t_step")
    measured = {"S": 2048, "V": 51200}  # the times are those of these values

    def overhead(a: At) -> Numbers:
        h, tokens = a.d_model, a.B * a.S
        model = 72 * a.L * tokens * h**2 + 12 * a.L * tokens * a.S * h + 6 * tokens * h * a.V
        again = 4 * a.L * tokens * a.S * h
        return {"F_model": model, "F_again": again, "o": Fraction(100 * again, model)}

    sizes = {"GPT-3": {"L": 96, "d_model": 12288, "B": 1}, "MT-NLG": {"L": 105, "d_model": 20480, "B": 1}}
    a = At(v, called)
    train, could = 6 * a.N * a.D, a.h_gpus * 3600 * a.F_fp
    return {
        "table 5": cases(
            step, (v, called), {name: measured | dict(zip(names, row, strict=True)) for name, row in rows.items()}
        ),
        "overhead": cases(overhead, (v, called), sizes),
        "DeepSeek-V3": {"F_train": train, "F_peak": could, "u_model": Fraction(100 * train) / could},
    }


def playbook(v: Values, called: Values) -> dict[str, Numbers]:
    a = At(v, called)
    h = a.d_model
    size = h * a.V + a.L * (12 * h**2 + 13 * h) + 2 * h
    llama = 405_853_388_800
    sizes = {"1B": 10**9, "7B": 7 * 10**9, "70B": 70 * 10**9, "405B": 405 * 10**9, "Llama 3.1 405B": llama}
    return {
        "states": {f"{name}/M_states": 16 * size for name, size in sizes.items()}
        | {f"{name}/M_more": 20 * size for name, size in sizes.items()},
        "formulas": {
            "N_model": size,
            "m_act": a.L * a.S * a.B * h * (34 + Fraction(5 * a.n_heads * a.S, h)),
        },
        "engine": engine(a, 16 * size, learned=False),
    }


# the Scaling Book


def chips(v: Values, called: Values) -> dict[str, Numbers]:
    room = 96 * 10**9

    def kept(a: At) -> Any:
        return 10 * a.Psi + 2 * a.n_kept * a.d_model * a.L * a.B * a.S

    a = At(v, called)
    least, crossing = ceil(Fraction(kept(a), room)), Fraction(10 * a.Psi, 2 * a.n_kept * a.d_model * a.L)
    return {
        "a": {"value": least},
        "a, later": {"value": ceil(Fraction(kept(At(v, {"n_kept": 2}, called)), room))},
        "b": {"crossover": floor(crossing) + 1}
        | {f"used on each of {n}": Fraction(kept(a), n) for n in (225, 226, 8960)},
    }


def h100s(v: Values, called: Values) -> dict[str, Numbers]:
    least = {name: ceil(Fraction(10 * At(v, called).Psi, room)) for name, room in H100.items()}
    nodes = {name: 8 * ceil(Fraction(n, 8)) for name, n in least.items()}
    return {
        label: {"value": most["marketed"], **{f"reading {name}": n for name, n in most.items()}}
        for label, most in (("a", least), ("b", nodes))
    }


def gpus(v: Values, called: Values) -> dict[str, Numbers]:
    def tokens(a: At) -> Numbers:
        between = Fraction(a.F_gpu, a.W_out)
        return {
            "T_node": Fraction(a.F_gpu, a.W_node),
            "T_between": between,
            "T_experts": Fraction(a.E, a.k) * between,
            "I_mem": Fraction(a.F_gpu) / a.W_mem,
        }

    names = ("F_gpu", "W_node", "W_out", "W_mem")
    cards = {
        "H100": (990 * 10**12, 450 * 10**9, 400 * 10**9, 335 * 10**10),
        "B200": (2250 * 10**12, 900 * 10**9, 400 * 10**9, 8 * 10**12),
    }
    a = At(v, called)
    states = a.b_state * a.Psi
    return {
        "thresholds": cases(
            tokens, (v, called), {name: dict(zip(names, card, strict=True)) for name, card in cards.items()}
        ),
        "quiz 5": {
            "M_states": states,
            "n_least": ceil(Fraction(states) / a.C_gpu),
            "M_node": Fraction(states, a.n_node),
        },
    }


def llama_70b(v: Values, called: Values) -> dict[str, Numbers]:
    a = At(v, called)
    d = a.d_model
    ffn, vocabulary = 3 * a.L * d * a.d_ff, 2 * a.V * d
    attention = 2 * a.L * d * a.d_head * (a.n_heads + a.n_kv)
    size = ffn + attention + vocabulary
    train = 6 * size * a.D
    seconds = Fraction(train) / (a.n_chips * a.C * a.u)

    def memory(at: At) -> Numbers:
        kept = 2 * at.d_model * at.T_mem * at.n_kept * at.L
        whole = 10 * size + kept
        return {
            "P_all": size,
            "M_weights": 2 * size,
            "M_moments": 8 * size,
            "M_kept": kept,
            "M_all": whole,
            "n_least": ceil(Fraction(whole) / at.C_chip),
            "M_chip": Fraction(whole) / at.n_chips,
        }

    alpha, axes = Fraction(a.C) / a.W, a.M_X * a.M_Y
    return {
        "parameters and days": {
            "P_ffn": ffn,
            "P_attention": attention,
            "P_vocabulary": vocabulary,
            "P_all": ffn + attention + vocabulary,
            "F_train": train,
            "t_train": seconds,
            "t_days": seconds / DAY,
        },
        "memory": cases(memory, (v, called), {"four checkpoints": {"n_kept": 4}, "two checkpoints": {"n_kept": 2}}),
        "mesh": {
            "T_chip": Fraction(a.T_batch, a.n_chips),
            "T_fsdp": alpha / a.n_axes,
            "T_mixed": alpha**2 / (axes * a.d_ff),
            "X_best": root(Fraction(a.T_batch * a.M_X * a.n_chips, a.d_ff * a.M_Y)),
        },
    }


def training(v: Values, called: Values) -> dict[str, Numbers]:
    one = At(v, {"d_ff": 32768}, called)
    alpha = Fraction(one.C) / one.W
    most = alpha**2 / (one.M_X * one.M_Y * one.d_ff)
    mesh = At(v, {"T_batch": 48000, "n_chips": 64, "d_ff": 32768}, called)
    a, two = At(v, called), At(v, {"T_batch": 16 * 10**6}, called)
    three = At(v, {"T_batch": 3 * 10**6, "n_chips": 4096}, called)
    ffn, vocabulary = 3 * a.L * a.d_model * a.d_ff, 2 * a.V * a.d_model
    attention = 2 * a.L * a.d_model * a.d_head * (a.n_heads + a.n_kv)
    size = ffn + attention + vocabulary

    def kept(at: At) -> Any:
        return at.b_kept * at.L * at.T_batch * (at.d_model + 2 * at.d_ff)

    return {
        "thresholds": {
            "alpha": alpha,
            "T_three": alpha / one.n_axes,
            "T_pod": one.N_pod * alpha / one.n_axes,
            "T_max": most,
            "T_sum": 4 * most,
            "T_pods": Fraction(one.C) / one.W_dcn,
            "P_most": Fraction(one.C_chip) / one.b_state,
        },
        "best mesh": {"X_best": root(Fraction(mesh.T_batch * mesh.M_X * mesh.n_chips, mesh.d_ff * mesh.M_Y))},
        "1": {
            "P_ffn": ffn,
            "P_attention": attention,
            "P_vocabulary": vocabulary,
            "P_all": size,
        },
        "2": {"P_all": size, "M_states": two.b_state * size, "M_kept": kept(two)},
        "3": {
            "P_all": size,
            "M_kept": kept(three),
            "M_slice": three.n_chips * three.C_chip,
            "T_fsdp": alpha / three.n_axes * three.n_chips,
            "T_mixed": alpha**2 / (three.M_X * three.M_Y * three.d_ff),
            "T_chip": Fraction(three.T_batch, three.n_chips),
            "X_best": root(Fraction(three.T_batch * three.M_X * three.n_chips, three.d_ff * three.M_Y)),
            "t_step": Fraction(6 * three.T_batch * size) / (three.n_chips * three.C * three.u),
        },
    }


def inference(v: Values, called: Values) -> dict[str, Numbers]:
    def token(at: At) -> Any:
        return at.b * 2 * at.L * at.n_kv * at.d_head

    def step(at: At) -> Numbers:
        sequence = token(at) * at.S
        whole = at.B * sequence + at.b * at.N
        return {"M_seq": sequence, "M_all": whole, "t_step": Fraction(1000 * whole) / (at.n_chips * at.W_mem)}

    def batch(at: At) -> Numbers:
        heads = 2 * at.d_model * at.d_head * (at.n_heads + at.n_kv)
        size = at.L * (3 * at.d_model * at.d_ff + heads) + at.V * at.d_model
        sequence = token(at) * at.S
        room = at.n_chips * at.C_chip - at.b * size
        most = floor(Fraction(room) / sequence)
        return {"P_all": size, "M_token": token(at), "M_seq": sequence, "B_most": most}

    thirteen = {"L": 40, "n_heads": 40, "n_kv": 40, "d_head": 128, "b": 2, "N": 13 * 10**9, "n_chips": 8}
    seventy = {"L": 80, "n_heads": 64, "n_kv": 8, "d_head": 128}
    served, long = At(v, seventy, {"B": 32}, called), At(v, seventy, {"S": 32768}, called)
    a = At(v, called)
    whole = served.B * served.S * token(served) + served.b * served.N
    batches = {"one sequence": 1, "8": 8, "16": 16, "32": 32, "64": 64, "240": 240}
    return {
        "13B": cases(step, (v, thirteen, called), {name: {"B": number} for name, number in batches.items()}),
        "its own model": cases(
            batch,
            (v, called),
            {
                "128,000 tokens": {"S": 128000, "n_kv": 8},
                "131,072 tokens": {"S": 131072, "n_kv": 8},
                "one key-value head": {"S": 128000, "n_kv": 1},
            },
        ),
        "70B": {"M_token": token(served), "M_all": whole, "n_least": ceil(Fraction(whole) / served.C_chip)},
        "a long sequence": {"M_seq": token(long) * long.S},
        "weights alone": cases(
            lambda at: {"n_chip": Fraction(at.b * at.N) / at.C_chip},
            (v, called),
            {"BF16": {"b": 2}, "INT8": {"b": 1}, "INT4": {"b": "0.5"}},
        ),
        "experts": {"T_dense": Fraction(a.I_mem, 2), "T_experts": Fraction(a.I_mem * a.E, 2 * a.k)},
    }


# ZeRO


def share(stage: int, n: int) -> Fraction:
    """Bytes that one device keeps of a parameter: 2 for the weight, 2 for its gradient, 12 for the states of Adam."""
    divided = (0, 12, 14, 16)[stage]
    return 16 - divided + Fraction(divided, n)


def zero_1(v: Values, called: Values) -> dict[str, Numbers]:
    sizes = {"a": 75 * 10**8, "b": 128 * 10**9, "c": 10**12}

    def table(label: str, stages: tuple[int, ...], degrees: tuple[int, ...]) -> Numbers:
        size = At({"Psi": sizes.get(label, sizes["a"])}, called).Psi
        return {f"stage {stage}, {n}": size * share(stage, n) for stage in stages for n in degrees}

    rows = (1, 4, 16, 64, 256, 1024)
    return {label: table(label, (1, 2, 3), rows) for label in sizes} | {"d": table("d", (0, 1, 2, 3), (64,))}


def zero_2(v: Values, called: Values) -> dict[str, Numbers]:
    n = At(v, called).n_fsdp
    degrees = (1, 2, 4, 8, 16)
    return {
        "a": {f"stage {stage}, {tp}": floor(32 * 10**9 * tp / share(stage, n)) for stage in range(4) for tp in degrees}
    }


RECOMPUTED: dict[str, Callable[[Values, Values], dict[str, Numbers]]] = {
    "ptd-p-table-1": ptd_p,
    "korthikanti": korthikanti,
    "kv-cache": kv_cache,
    "flops-palm-chinchilla": palm_chinchilla,
    "utilisation": utilisation,
    "playbook": playbook,
    "scaling-book-chips": chips,
    "scaling-book-h100s": h100s,
    "scaling-book-gpus": gpus,
    "scaling-book-llama3-70b": llama_70b,
    "scaling-book-training": training,
    "scaling-book-inference": inference,
    "zero-table-1": zero_1,
    "zero-table-2": zero_2,
}
