"""``symbolic-mem compare``: which terms explain the gap between two accounts of one study."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from symbolic_mem.base.errors import BadInput
from symbolic_mem.cli.once import Verb
from symbolic_mem.cli.options import pairs, print_json

if TYPE_CHECKING:
    from symbolic_mem.questions.parts.comparison import FoundGaps

_TWICE = (
    ("recipe", "NAME", "A recipe (see `list recipes`)."),
    ("optimizer", "NAME", "An optimizer (see `list optimizers`)."),
    (
        "recompute",
        "RULE",
        "none, full, selective, half, products, products=2, every=2, groups=9 or block=4; full+transient: with what that holds.",
    ),
    ("profile", "NAME", "An engine profile (see `list profiles`)."),
    ("kernel", "NAME", "An attention kernel."),
    ("loss", "NAME", "How the loss works: bf16, fp32, fp32-held, chunked:8 or fused."),
    ("plan", "NAME", "Where the states live (see `docs/peak.md`): fsdp2, zero-1, one-device, ..."),
    ("place", "KIND=FRACTION[,REST]", "The fraction of a kind that is divided, and the rest: kept or dropped."),
    ("rest", "FATE", "What is not divided is kept or dropped."),
)


def _twice(command: Callable[..., Any]) -> Callable[..., Any]:
    for name, metavar, words in reversed(_TWICE):
        command = click.option(f"--{name}", multiple=True, metavar=metavar, help=words)(command)
    return command


@click.command("compare", cls=Verb)
@click.argument("study")
@click.option("--set", "values", multiple=True, metavar="NAME=VALUE", help="Give a symbol another value.")
@_twice
@click.option("--devices", metavar="FILE", help="A TOML file with your own devices.")
@click.option("--recipes", metavar="FILE", help="A TOML file with your own recipes.")
@click.option("--profiles", metavar="FILE", help="A TOML file with your own engine profiles.")
@click.option("--plans", metavar="FILE", help="A TOML file with your own plans.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(
    study: str,
    values: tuple[str, ...],
    devices: str | None,
    recipes: str | None,
    profiles: str | None,
    plans: str | None,
    as_json: bool,
    **choices: Any,
) -> None:
    """Explain the gap between two accounts of STUDY, term by term.

    What is given twice has one value for each side. What is given once holds for both sides, unless nothing is given
    twice: then the study as it stands is compared with the study that has it.

    \b
    symbolic-mem compare llama-3.1-8b --recipe fsdp2 --recipe megatron-18
    symbolic-mem compare llama-3.1-8b --profile hf-cuda-bf16
    symbolic-mem compare cs336-a2-xxl --set n_fsdp=46 --place activations=1/2 --place activations=1
    """  # noqa: D301 (click's mark of lines that keep their breaks)
    from symbolic_mem.library.bundled import refuse_unknown

    refuse_unknown(study)
    named = pairs(values, "--set")
    from symbolic_mem.library.read import load_study  # SymPy, which a refusal does without
    from symbolic_mem.questions.compare import Compare
    from symbolic_mem.study.changed_values import set_value
    from symbolic_mem.study.changes import refuse_unasked
    from symbolic_mem.study.keys import At
    from symbolic_mem.study.values import typed

    files = {"recipe": recipes, "profile": profiles, "plan": plans}
    refuse_unasked({what: (path, choices[what]) for what, path in files.items()})
    given = {name: list(found) for name, found in choices.items() if found}
    if "place" in given:
        given["place"] = _sides(given["place"])
    question, chosen = (
        Compare.read(given, At("compare", recipes=recipes, profiles=profiles, plans=plans, options={}), "compare"),
        load_study(study, devices),
    )
    if not chosen.names_device:
        refuse_unasked({"device": (devices, None)})
    chosen = chosen.called(set_value(name, typed(value)) for name, value in named.items())
    from symbolic_mem.questions.parts.unread import refuse_unread

    refuse_unread(chosen, (question,))
    found = question.answer(chosen)
    if as_json:
        _json(found)
    else:
        _show(found)


def _sides(places: list[str]) -> list[dict[str, str]]:
    """One placement for both sides, or, where a kind is given twice, one for each of them."""
    kinds: dict[str, list[str]] = {}
    for place in places:
        for kind, value in pairs((place,), "--place").items():
            kinds.setdefault(kind, []).append(value)
    most = max(map(len, kinds.values()))
    for kind, values in kinds.items():
        if len(values) > 2:
            raise BadInput(f"--place {kind} is given {len(values)} times; two sides can be compared, so give it twice")
    return [{kind: values[min(side, len(values) - 1)] for kind, values in kinds.items()} for side in range(most)]


def _json(found: FoundGaps) -> None:
    from symbolic_mem.questions.parts.assumptions import idle_degrees
    from symbolic_mem.render.arrange import arrange_prose
    from symbolic_mem.render.json import record_json

    sentence = arrange_prose(found.question.sentence(found))
    print_json(
        record_json(
            {
                "study": found.study.name,
                **found.facts,
                "missing": list(found.absent),
                "assumptions": idle_degrees(found.study),
                "answer": sentence,
            }
        )
    )


def _show(found: FoundGaps) -> None:
    from symbolic_mem.cli.tables import figure, print_line, print_table, print_title
    from symbolic_mem.questions.parts.assumptions import idle_degrees
    from symbolic_mem.questions.parts.gap_tables import gap_tables
    from symbolic_mem.render.arrange import arrange_prose, arrange_table
    from symbolic_mem.render.text import plain_prose

    trains = any(side.study.recipe.trains for side in (found.a, found.b))
    print_title(found.study.heading if trains else found.a.study.heading)
    each = " on each device" if found.a.placed else ""
    for head, side, size in (("first", found.a, found.a_bytes), ("second", found.b, found.b_bytes)):
        known = "" if size is None else f": {figure(size, 'bytes', 14)}, {figure(size, 'GiB')}{each}"
        print_line(f"{side.name}{known}", head, 8)
    click.echo("")
    for table in map(arrange_table, gap_tables(found)):
        rows = [[plain_prose(cell) for cell in row] for row in table.rows]
        right = [i for i, column in enumerate(table.columns) if column.align == "right"]
        print_line(plain_prose(table.caption))
        print_table([plain_prose(column.head) for column in table.columns], rows, right, totals=table.totals)
        click.echo("")
    print_line(plain_prose(arrange_prose(found.question.sentence(found))))
    for sentence in idle_degrees(found.study):
        print_line(plain_prose(sentence))
