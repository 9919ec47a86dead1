"""The parts of these pages that the program itself knows: `python docs/generate.py` writes them, a test compares them.

A page marks such a part with two comments, `<!-- generated: NAME -->` and `<!-- end -->`.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import click

from symbolic_mem.accounts.instant import Instant
from symbolic_mem.accounts.units import units
from symbolic_mem.base import symbols as s
from symbolic_mem.base.shown import shown
from symbolic_mem.base.symbols import table
from symbolic_mem.cli.main import VERBS, group
from symbolic_mem.explore.data import asked as played
from symbolic_mem.hardware.catalogue import load_devices
from symbolic_mem.hardware.devices import READINGS, Device
from symbolic_mem.library.bundled import bundled
from symbolic_mem.library.read import load_study
from symbolic_mem.models.counted import counted_families
from symbolic_mem.models.families import families
from symbolic_mem.models.tensors import STATIC
from symbolic_mem.models.wrappers import wrappers
from symbolic_mem.plans.engines import engines
from symbolic_mem.plans.pipeline import pipelines
from symbolic_mem.questions.registry import ASKS, question_type
from symbolic_mem.recipes.caches import cache_formats
from symbolic_mem.recipes.read import presets
from symbolic_mem.render.arrange import arrange_prose
from symbolic_mem.render.latex import latex
from symbolic_mem.render.text import plain_prose
from symbolic_mem.study.changes import changes
from symbolic_mem.study.study import Study
from symbolic_mem.verify.cases import Case, Compared, read_cases
from symbolic_mem.verify.families import compare_cases
from symbolic_mem.verify.families import families as case_families
from symbolic_mem.verify.llamas import GIB, peak_in_gib
from symbolic_mem.verify.stack_cases import study_of
from symbolic_mem.verify.titan_cases import RESERVED, received
from symbolic_mem.verify.tune_cases import tune_peak

HERE = Path(__file__).parent
GALLERY = (
    *("cs336-a2-xxl", "gpt2-xl", "llama-3.1-8b", "llama-3.1-70b", "llama-3.1-405b"),
    *("mixtral-8x7b", "qwen3-30b-a3b", "deepseek-v3"),
)
DATA = HERE.parent / "tests" / "data"
PART = re.compile(r"(<!-- generated: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def rows(heads: list[str], cells: list[list[str]]) -> str:
    """Write a Markdown table."""
    lines = [heads, ["---"] * len(heads), *cells]
    return "".join(f"| {' | '.join(cell.replace('|', '&#124;') for cell in line)} |\n" for line in lines)


def notation(given: bool) -> str:
    """Tabulate the symbols that a study gives, or those that a derivation defines."""
    cells = [
        [f"`{name.symbol}`", f"${latex(name.symbol)}$", name.meaning, name.unit or "–"] for name in table(given=given)
    ]
    return rows(["in a study, in Python", "in print", "meaning", "unit"], cells)


def help_pages() -> str:
    """Show the help of the program and of every verb, as a terminal of 100 columns shows it."""
    context = click.Context(group, info_name="symbolic-mem", terminal_width=100, help_option_names=["-h", "--help"])
    pages = [("symbolic-mem", group.get_help(context))]
    for verb in VERBS:
        command = group.get_command(context, verb)
        assert command is not None
        inside = click.Context(command, info_name=verb, parent=context, terminal_width=100)
        pages.append((f"symbolic-mem {verb}", command.get_help(inside)))
    return "\n".join(f"### `{name}`\n\n```text\n{text.rstrip()}\n```\n" for name, text in pages)


def devices() -> str:
    """Tabulate the device catalogue: the three readings of the memory, rates, and who says so."""

    def in_units(number: int | None, unit: int) -> str:
        return "–" if number is None else shown(Fraction(number, unit)).plain

    cells = [
        [
            f"`{name}`",
            device.title,
            *(in_units(getattr(device, reading), 1) for reading in READINGS[:2]),
            f"≈ {device.reported_as}" if device.reported_as else in_units(device.reported, 1),
            in_units(device.flops_bf16, 10**12),
            in_units(device.memory_bandwidth, 10**9),
            device.confidence,
            device.date,
        ]
        for name, device in load_devices().items()
    ]
    heads = ["name", "device", *(f"{reading}, bytes" for reading in READINGS)]
    heads += ["dense BF16, TFLOP/s", "memory, GB/s", "evidence", "date"]
    return rows(heads, cells)


def links() -> str:
    """Tabulate the interconnects of the devices, each figure with its direction."""
    cells = [
        [f"`{name}`", str(link), shown(Fraction(link.bytes_per_second, 10**9)).plain, link.direction]
        for name, device in load_devices().items()
        for link in device.bandwidths
    ]
    return rows(["device", "link", "GB/s", "direction"], cells)


def device_sources() -> str:
    """List where each figure of a device comes from, what it is called there, when that was read, and by whom it is said."""
    return "".join(f"- `{name}`: {device.cited()}\n" for name, device in load_devices().items())


def seconds() -> str:
    """Tabulate the figures on which sources differ: what the catalogue counts, what another says, and why."""
    figures = {"capacity": "label", "memory bandwidth": "memory_bandwidth", "BF16 FLOP/s": "flops_bf16"}
    units = {"memory bandwidth": (10**9, " GB/s"), "BF16 FLOP/s": (10**12, " TFLOP/s")}

    def counted(device: Device, of: str) -> str:
        if of not in figures:
            said = [link for link in device.bandwidths if link.name == of]
            rates = [shown(Fraction(link.bytes_per_second, 10**9)).plain + " GB/s" for link in said]
            return ", ".join(f"{rate} {link.scope} {link.direction}" for rate, link in zip(rates, said, strict=True))
        value = getattr(device, figures[of])
        if of not in units:
            return value
        unit, name = units[of]
        return shown(Fraction(value, unit)).plain + name

    cells = [
        [
            f"`{name}`",
            each.of,
            counted(device, each.of),
            each.says,
            each.why,
            f"{each.evidence.source}, {each.evidence.date}",
        ]
        for name, device in load_devices().items()
        for each in device.seconds
    ]
    return rows(["device", "figure", "counted", "also said", "why", "by"], cells)


def processes() -> str:
    """Tabulate what a process finds free on a device, beside the total that its driver shows."""
    cells = [
        [
            f"`{name}`",
            shown(device.reported or 0).plain,
            shown(device.process.bytes).plain,
            device.process.evidence.source,
        ]
        for name, device in load_devices().items()
        if device.process is not None
    ]
    return rows(["device", "reported, bytes", "free for a process, bytes", "how it is known"], cells)


def recipes() -> str:
    """Tabulate the presets: bytes per parameter and per saved activation, with their source."""
    cells = []
    for name, found in presets().items():
        each = found.bytes_per_parameter
        states = ", ".join(f"{state.name} {state.copies * state.bytes_per_element}" for state in found.states)
        cells.append(
            [
                f"`{name}`",
                "by shape" if each is None else f"{float(each):g}",
                states,
                found.saved_bytes,
                found.source,
            ]
        )
    return rows(["preset", "bytes per parameter", "of which", "bytes per saved element", "source"], cells)


def caches() -> str:
    """Tabulate the formats of caches: bytes, scales and source."""
    each = {"": "none", "tensor": "each tensor", "vector": "each vector of a token and head"}
    cells = [
        [
            f"`{name}`",
            f"{float(one.bytes_each):g}",
            f"{each.get(one.scales, f'each {one.block} elements')}"
            + (f": {float(one.scale_bytes):g} bytes" if one.scales else ""),
            one.source,
        ]
        for name, one in cache_formats().items()
    ]
    return rows(["format", "bytes per element", "scales", "source"], cells)


def asks() -> str:
    """Tabulate the kinds of question and the keys that each may carry."""
    keys = {name: question_type(name).keys() for name in ASKS}
    cells = [[f"`{name}`", ", ".join(f"`{key}`" for key in found)] for name, found in keys.items()]
    return rows(["ask", "keys, beside `label` and `ask`"], cells)


def studies() -> str:
    """Tabulate the bundled studies."""
    return rows(["study", "title"], [[f"`{name}`", title] for name, title in bundled().items()])


def alternatives() -> str:
    """Tabulate what other assumptions make of the bundled homework: devices in (a), degree in (b)."""
    study = load_study("cs336-a2-xxl")
    choices: list[tuple[str, str, dict[str, Any], dict[str, Any]]] = [
        ("as bundled: GiB, less than, other half dropped", "", {}, {}),
        ("the label in decimal gigabytes", "--reading marketed", {"reading": "marketed"}, {}),
        ("the bytes that software reports", "--reading reported", {"reading": "reported"}, {}),
        ("at most the capacity, instead of less", "--at-most", {}, {"strict": False}),
        ("the other half stays on every device", "--rest kept", {"rest": "kept"}, {}),
        ("all activations are divided", "--place activations=1", {"place": {"activations": "1"}}, {}),
        ("one sequence in the batch", "--set B=1", {"values": {"B": 1}}, {}),
    ]
    for name in ("fp32", "zero-16", "megatron-18", "deepspeed-z2-20", "scaling-book-10", "pure-bf16"):
        choices.append((f"recipe `{name}`", f"--recipe {name}", {"recipe": name}, {}))
    cells = []
    for words, option, changed, asked in choices:
        called = study.called(changes(**changed))
        found = []
        for label, keys in (("a", {"kinds": list(STATIC)}), ("a", {}), ("b", asked)):
            question = called.question(label).given(keys, option)
            value = question.answer(called.under(question)).value
            found.append("none" if value is None else str(value))
        cells.append([words, f"`{option}`" if option else "", *found])
    return rows(["assumption", "option", "(a) states only", "(a) with activations", "(b) smallest degree"], cells)


def families_of(kind: str) -> str:
    """Tabulate the families of config.json that are described, counted, or of several modalities."""
    if kind == "described":
        known = families().known
        cells = [
            [f"`{name}`", one.architecture, one.config_class] for name, one in sorted(known.items()) if one.describes
        ]
        return rows(["`model_type`", "class", "defaults of"], cells)
    if kind == "counted":
        cells = [
            [f"`{name}`", one.architecture, one.config_class]
            for name, one in families().known.items()
            if not one.describes
        ]
        cells += [
            [f"`{name}`", ", ".join(one.architectures), one.config_class] for name, one in counted_families()[0].items()
        ]
        return rows(["`model_type`", "class", "defaults of"], sorted(cells))
    cells = [[f"`{name}`", one.architecture, f"`{one.text}`"] for name, one in sorted(wrappers().items())]
    return rows(["`model_type`", "class", "language model"], cells)


@cache
def compared() -> tuple[Compared, ...]:
    """Compare all cases that the tests have, in the order of the families."""
    read = [case for name in ("peaks", "shards", "parallel") for case in read_cases(DATA / f"{name}.json")]
    for row in json.loads((DATA / "optimizers.json").read_text(encoding="utf-8"))["cases"]:
        inputs = {key: row[key] for key in ("optimizer", "param_dtype", "shape")}
        read.append(Case(row["id"], row["engine"], inputs, "optimizer_state", row["bytes"]))
    return tuple(compare_cases(read))


def accuracy() -> str:
    """Tabulate by family how many cases there are, how far off ours is, and which rows miss."""
    by_family: dict[str, list[Compared]] = {
        family.beginning: [] for family in case_families() if family.find is not None
    }
    for row in compared():
        if row.family in by_family:
            by_family[row.family].append(row)
    cells, misses = [], []
    for family in case_families():
        found = by_family.get(family.beginning, [])
        said = [(row, abs(row.miss), share_of(row)) for row in found if row.miss is not None]
        if not said:
            continue
        worst, size, share = max(said, key=lambda one: one[2])
        mean = sum(share for _, _, share in said) / len(said)
        exact = sum(size == 0 for _, size, _ in said)
        named = "–" if size == 0 else f"`{worst.case.id}`"
        cells.append([family.title, *map(str, (len(found), len(said), exact)), *map(percent, (mean, share)), named])
        misses += [f"- `{row.case.id}`: {missed(row)}{percent(of)}\n" for row, size, of in said if size]
        for reason, count in Counter(row.reason for row in found if row.reason).items():
            first = next(row.case for row in found if row.reason == reason)
            more = f" and {count - 1} more" if count > 1 else ""
            misses.append(f"- `{first.id}`, {first.quantity}{more}: not said: {reason}\n")
    heads = ["family", "cases", "said", "to the byte", "mean miss", "largest", "worst case"]
    listed = "".join(misses) or "- none\n"
    return f"{rows(heads, cells)}\nEvery case that misses, or that no study says:\n\n{listed}"


def missed(row: Compared) -> str:
    """By how many bytes ours is off; nothing of what is printed in rounded units."""
    miss = row.record()["miss"]
    return "" if isinstance(miss, float) else f"{miss} bytes, "


def share_of(row: Compared) -> Any:
    """By which share of the measured number ours is off; of a list by that of its largest number."""
    theirs = max(row.case.theirs) if isinstance(row.case.theirs, list) else row.case.theirs
    return abs(row.miss or 0) / max(theirs, 1)


def percent(share: Any) -> str:
    """A share of the measured bytes."""
    return "0" if share == 0 else f"{float(100 * share):.2g} %"


# Peaks and bytes after a step of real runs: a pattern of ids, the share that ours may be off, and how many rows of a hundred it holds for.
BARS = (
    ("B200, dense stages", r"b200-llama", "0.005", 100),
    ("B200, mixtures of experts: the fullest stage of each run", r"b200-deepseek", "0.015", 100),
    ("continuous integration on H100, dense: peaks", r"mcore-ci-gpt-.*-h100-peak", "0.015", 85),
    ("the same", r"mcore-ci-gpt-.*-h100-peak", "0.02", 100),
    ("continuous integration on A100, dense: peaks", r"mcore-ci-gpt-.*-a100-peak", "0.03", 90),
    ("the same", r"mcore-ci-gpt-.*-a100-peak", "0.035", 100),
    ("continuous integration, dense: after a step", r"mcore-ci-gpt-.*-static", "0.015", 100),
    ("vocabulary parallelism, 1F1B", r"vocabpar-t5", "0.03", 100),
    ("torchtitan, reserved", r"titan", "0.08", 100),
)


def bars() -> str:
    """Tabulate how many rows of real runs are as near as they were meant to be, and which are not."""
    said = [row for row in compared() if row.miss is not None]
    cells = []
    for words, pattern, most, of_hundred in BARS:
        rows_of = _fullest([row for row in said if re.match(pattern, row.case.id)])
        beyond = [row for row in rows_of if share_of(row) > Fraction(most)]
        named = ", ".join(f"`{row.case.id}` ({percent(share_of(row))})" for row in beyond) or "–"
        need = "all" if of_hundred == 100 else f"{of_hundred} % of them"
        cells.append(
            [
                words,
                f"{need} within {percent(Fraction(most))}",
                f"{len(rows_of) - len(beyond)} of {len(rows_of)}",
                named,
            ]
        )
    return rows(["rows", "meant", "within", "beyond"], cells)


def _fullest(found: list[Compared]) -> list[Compared]:
    """Of the stages of a mixture of experts the one that holds most; of all others each."""
    runs: dict[str, Compared] = {}
    for row in found:
        run = row.case.id.partition("-stage")[0] if row.case.id.startswith("b200-deepseek") else row.case.id
        runs[run] = max(row, runs.get(run, row), key=lambda one: one.case.theirs)
    return list(runs.values())


def hypotheses() -> str:
    """Tabulate what published peaks would be if something else were so than what counts: GiB, printed, here and then."""
    if_so = (
        *(
            (f"titan-{name}", "what a block works with in its forward pass, or keeps, stayed reserved", _reserved)
            for name in ("t2-cp1", "t4-2D")
        ),
        ("titan-t5-1F1B", "what a block works with in its backward pass stayed reserved", _reserved),
        *((f"titan-{name}", "a block held what its compiled graph does", _compiled) for name in COMPILED),
        *((f"titan-t6-{name}", "linear layers were gathered in 8 bits", _eight) for name in ("cp1", "cp4")),
        ("tune-llama-3-1-70blora8x-a100", "blocks, compiled, held nothing at all", lambda one: _without(one, "block")),
        (
            "tune-llama-3-1-70blora8x-a100",
            "embedding and head were not gathered then",
            lambda one: _without(one, "root"),
        ),
        *((f"tune-llama-3-1-{name}", words, _least) for name, words in LEAST.items()),
        *((f"tune-llama-3-1-{name}", "a batch had half the tokens", _half) for name in HALVED),
        ("tune-llama-3-1-405bqlora8x-a100", "activations were kept on the host", _hosted),
        (
            "tune-3b-8-bit",
            "the optimizer were torchao's, which holds 8 bytes for each number of a weight in its step",
            _torchao,
        ),
    )
    named = {name for name, _, _ in if_so}
    read = [case for case in read_cases(DATA / "parallel.json") if case.id in named]
    cases = {row.case.id: row for row in compare_cases(read)}
    cells = []
    for name, words, then in if_so:
        row = cases[name]
        found = [float(one) for one in (row.case.theirs, row.ours, then(row))]
        cells.append(
            [f"`{name}`", words, *(f"{one:.1f}" for one in found), f"{100 * (found[2] / found[0] - 1):+.1f} %"]
        )
    return rows(["row", "if", "printed", "here", "then", "off by"], cells)


# Bytes that tests/data/measure_compiled_block.py prints: 4 sequences of 8192 tokens with AsyncTP, then one of 32,768 on 1, 4 and 8 context ranks.
COMPILED = {"t5-1F1B": 5958041624, "t6-cp1": 5823823896, "t6-cp4": 7284490268, "t6-cp8": 8358232092}
HALVED = ("70blora8x-a100", "8blora1x-4090", "8bfull1x-4090", "8bqlora1x-4090", "405bqlora8x-a100")
LEAST = {
    "70blora8x-a100": "there were only weights, inputs of blocks, embedding and head, and the last block, received and copied",
    "8blora1x-4090": "there were only weights, inputs of blocks, and logits in 16 bits",
}


def _study(row: Compared) -> Study:
    assert row.said is not None
    return study_of(row.case, row.said)


def _held(study: Study, one: Instant, name: str = "") -> Fraction:
    """GiB of the terms of an instant that have a name, or of all."""
    return one.memory.where(lambda term: name in term.name).placed(study.placement).at(study.numbers) / Fraction(GIB)


def _fullest_instant(study: Study) -> Instant:
    return max(study.timeline, key=lambda one: _held(study, one))


def _reserved(row: Compared) -> Fraction:
    """What is allocated, and the most that a block holds for a moment in the forward pass, or keeps, where that is not described."""
    study = _study(row)
    phases = {phase: [one for one in study.timeline if one.phase == phase] for phase in ("forward", "backward")}
    names = ("block at work", "inside the MLP", "gathered input")
    work = (
        max((sum(_held(study, one, name) for name in names) for one in found), default=0) for found in phases.values()
    )
    return _held(study, _fullest_instant(study)) + next(one for one in work if one) + received(study)


def _compiled(row: Compared) -> Fraction:
    """The peak with what the backward pass of one block was measured to hold, compiled, in the place of what is counted of it."""
    study = _study(row)
    one = _fullest_instant(study)
    counted = sum(_held(study, one, name) for name in ("inside the MLP", "block at work", "gathered input"))
    measured = Fraction(COMPILED[row.case.id.removeprefix("titan-")], GIB)
    return Fraction(str(RESERVED)) * (_held(study, one) - counted + measured) + received(study)


def _eight(row: Compared) -> Fraction:
    """The peak with the matrices of the blocks gathered in a byte for each number, and the share that is reserved."""
    study = _study(row)
    one = _fullest_instant(study)
    wide = study.values[s.V] * study.values[s.d_model] / study.values[s.n_tp] * 2 / Fraction(GIB)
    gathered = _held(study, one, "gathered weights of the stage") - (wide if "first" in one.rank else 0)
    return Fraction(str(RESERVED)) * (_held(study, one) - gathered / 2) + received(study) / 2


def _without(row: Compared, what: str) -> Fraction:
    """The peak without what a block holds while it works, or without the gathered weights that lie outside the blocks."""
    study = _study(row)
    root = study.values[s.V] * study.values[s.d_model] * 2 * 2 / Fraction(GIB)
    inside = ("block at work", "inside the block")
    left = (
        _held(study, one) - (root if what == "root" else sum(_held(study, one, name) for name in inside))
        for one in study.timeline
        if what != "root" or one.phase == "backward"
    )
    return max(left)


def _least(row: Compared) -> Fraction:
    """What is there in the forward pass whatever else is: at the gather of the last block, or at its end where nothing is gathered."""
    study = _study(row)
    (one,) = [one for one in study.timeline if one.name == "gather"] or [
        one for one in study.timeline if one.name == "forward end"
    ]
    if one.name == "forward end":
        return _held(study, one)
    block = sum(part.elements for part in units(study.model).blocks[0].weights).xreplace(study.values)
    return _held(study, one) - Fraction(int(block) * 2, GIB)  # what was received of the block before


def _half(row: Compared) -> Any:
    case = row.case
    return tune_peak(replace(case, inputs={**case.inputs, "batch": case.inputs["batch"] // 2}))[0]


def _torchao(row: Compared) -> Fraction:
    """The peak where a step holds two numbers of FP32 for each of the weight at work: PyTorch's AdamW copies it twice, in 16 bits."""
    assert row.said is not None
    recipe = {**row.said["recipe"], "optimizer": "adamw", "foreach": False}
    eight, sixteen = _study(row), study_of(row.case, {**row.said, "recipe": recipe})
    (ended, wide) = (min(_held(one, at) for at in one.timeline if at.phase == "step") for one in (eight, sixteen))
    return (
        max(_held(sixteen, at) + _held(sixteen, at, "of the tensor at work") for at in sixteen.timeline) - wide + ended
    )


def _hosted(row: Compared) -> Fraction:
    assert row.said is not None
    recipe = {**row.said["recipe"], "offload": ["activations"]}
    return peak_in_gib(study_of(row.case, {**row.said, "recipe": recipe}))


def unsaid() -> str:
    """Tabulate the families of cases that no study says yet."""
    cells = [[f"`{one.beginning}-`", one.title, one.reason] for one in case_families() if one.find is None]
    return rows(["ids begin with", "family", "why not"], cells)


def schedules_of_pipelines() -> str:
    """Tabulate the schedules of pipelines with what a rank holds."""
    cells = [
        [f"`{name}`", one.title, f"`{one.held}`", one.source + ("; at least that" if one.bound else "")]
        for name, one in pipelines().items()
    ]
    return rows(["schedule", "what it is", "activations held on a rank", "source"], cells)


def software() -> str:
    """Tabulate what the software of a run holds for itself, with the runs that say so."""
    cells = [
        [
            f"`{name}`",
            one.title,
            f"{one.bytes / 2**20:.4g} MiB",
            one.source,
        ]
        for name, one in engines().items()
    ]
    return rows(["engine", "software", "workspaces", "taken from"], cells)


def gallery() -> str:
    """Tabulate the studies of the gallery: what the page of each answers first, and the command that makes it."""
    cells = []
    for name in GALLERY:
        study = load_study(name)
        question = played(study)
        said = plain_prose(arrange_prose(question.sentence(question.answer(study.under(question)))))
        cells.append([study.title, said, f"`symbolic-mem explore {name} -o {name}.html`"])
    return rows(["study", "what its page says first", "alone"], cells)


GENERATORS: dict[str, Callable[[], str]] = {
    "symbols_given": lambda: notation(True),
    "symbols_derived": lambda: notation(False),
    "help": help_pages,
    "devices": devices,
    "links": links,
    "device_sources": device_sources,
    "seconds": seconds,
    "processes": processes,
    "recipes": recipes,
    "caches": caches,
    "asks": asks,
    "studies": studies,
    "alternatives": alternatives,
    "described": lambda: families_of("described"),
    "counted": lambda: families_of("counted"),
    "wrappers": lambda: families_of("wrappers"),
    "accuracy": accuracy,
    "bars": bars,
    "hypotheses": hypotheses,
    "unsaid": unsaid,
    "pipelines": schedules_of_pipelines,
    "engines": software,
    "gallery": gallery,
}


def generated(page: str) -> str:
    """Return the text of a page with its generated parts written anew."""
    return PART.sub(lambda part: f"{part[1]}\n{GENERATORS[part[2]]()}\n{part[3]}", page)


def main() -> None:
    """Write the generated parts of all pages."""
    for path in sorted(HERE.glob("*.md")):
        path.write_text(generated(path.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
