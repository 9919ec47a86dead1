"""``symbolic-mem verify``: ours beside what an installed engine holds, or beside measured and published cases."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from symbolic_mem.base.errors import BadInput
from symbolic_mem.cli.once import Verb
from symbolic_mem.cli.options import chosen_study, print_json, study_changes

if TYPE_CHECKING:
    from symbolic_mem.verify.verify import Measured

IDLE = (
    "device",
    "capacity",
    "reading",
    "devices",
    "rest",
)  # what is measured has no capacity, and nothing is divided in part


@click.command("verify", cls=Verb)
@click.argument("study", required=False)
@study_changes
@click.option("--cases", metavar="FILE", help="Compare with the cases of a JSON file; needs no engine.")
@click.option("-o", "--output", metavar="FILE", help="Write the rows of --cases to a .json file.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object (--cases always does).")
def command(study: str | None, cases: str | None, output: str | None, as_json: bool, **options: Any) -> None:
    """Measure a training step of STUDY in the installed PyTorch, and show our bytes beside its.

    Fake tensors and a fake process group: no memory, no accelerator and no other process is used. The model is a
    two-matrix or gated stack, or one that `transformers` builds from its config.json; the plan is one device or FSDP2,
    and the recipe is fp32, pure-bf16 or fsdp2.

    \b
    symbolic-mem verify cs336-a2-xxl --recipe fsdp2 --place activations=1
    symbolic-mem verify llama-3.1-8b --set S=4096 --recompute full
    symbolic-mem verify --cases cases.json -o rows.json
    """  # noqa: D301 (click's mark of lines that keep their breaks)
    if (study is None) == (cases is None):
        raise BadInput("give one of a STUDY, which is measured, and --cases FILE, which is compared")
    if cases is not None:
        given = [f"--{name if name != 'values' else 'set'}" for name, value in options.items() if value]
        if given:
            raise BadInput(f"{given[0]} changes a study, and --cases has none; leave it out")
        _compare(cases, output)
        return
    if output is not None:
        raise BadInput(f"-o {output}: only the rows of --cases are written to a file; use --json and redirect it")
    from symbolic_mem.verify.verify import verify

    found = verify(chosen_study({"study": study, **dict.fromkeys(IDLE), **options}))
    print_json(found.record()) if as_json else _show(found)


command.params = [option for option in command.params if option.name not in IDLE]


def _compare(cases: str, output: str | None) -> None:
    import json

    from symbolic_mem.verify.cases import read_cases
    from symbolic_mem.verify.families import compare_cases

    if output is None:
        print_json([row.record() for row in compare_cases(read_cases(cases))])
        return
    from symbolic_mem.render.files import checked_outputs, write_whole

    ((path, ending),) = checked_outputs([output])
    if ending != "json":
        raise BadInput(f"-o {output!r}: the rows are JSON; name a file that ends in .json")
    rows = [row.record() for row in compare_cases(read_cases(cases))]
    write_whole(path, (json.dumps(rows, indent=2, ensure_ascii=False) + "\n").encode())
    said = sum(row["ours"] is not None for row in rows)
    exact = sum(row["miss"] == 0 for row in rows)
    click.echo(f"{output}: {len(rows)} cases, of which a study says {said}; {exact} of them agree to the byte.")


def _show(found: Measured) -> None:
    from symbolic_mem.base.told import grouped
    from symbolic_mem.cli.tables import print_line, print_table, print_title
    from symbolic_mem.verify.verify import whole

    print_title(found.study.heading)
    print_line(f"{found.engine}, the {found.turn} step, in bytes of one device")
    for words in found.changed:
        print_line(words, "set to run it:", 15)
    click.echo("")
    rows = [
        [row.mark, grouped(str(whole(row.ours))), grouped(str(row.theirs)), _signed(whole(row.miss)), row.instant]
        for row in found.rows
    ]
    print_table(["mark", "ours", "theirs", "miss", "our instant"], rows, (1, 2, 3))
    click.echo("")
    print_line(str(found.sentence))


def _signed(number: int) -> str:
    from symbolic_mem.base.told import grouped

    return "0" if number == 0 else f"{'+' if number > 0 else '-'}{grouped(str(abs(number)))}"
