"""``symbolic-mem sweep``: the smallest degree, or the peak at a given one, of a whole grid of configurations."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import click

from symbolic_mem.base.errors import BadInput
from symbolic_mem.cli.once import Verb
from symbolic_mem.cli.options import SPELLED, Whole, chosen_study, print_json, rule_options, study_options

if TYPE_CHECKING:
    from pathlib import Path

    from symbolic_mem.sweeps.plan import Plan
    from symbolic_mem.sweeps.rows import Rows, Wanted
    from symbolic_mem.sweeps.run import Answered

SHOWN = 20
STREAMED = 1 << 17


@click.command("sweep", cls=Verb)
@study_options
@click.option(
    "--vary",
    "varied",
    multiple=True,
    metavar="NAME=VALUES",
    help="B=1,2,4, or START:STOP:STEP without the stop; device, plan, recipe, ...: names.",
)
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    help="Write all rows: .csv or .parquet; whole axes: .npz; or the figure of --pareto: .svg.",
)
@click.option(
    "--column",
    "columns",
    multiple=True,
    metavar="NAME",
    help="Only this column of the answer (repeatable); communication: the seconds in which a device sends in a step.",
)
@click.option("--instants", is_flag=True, help="Also the bytes at each instant of a step.")
@click.option("--terms", is_flag=True, help="Also the bytes of each term at the instant that binds.")
@click.option("--where", "conditions", multiple=True, metavar="TEST", help="Only rows such as 'left>2 GiB' or fits.")
@click.option("--sort", metavar="COLUMN", help="The smallest of this column first; -COLUMN: the largest.")
@click.option(
    "--pareto",
    metavar="COLUMN,COLUMN",
    help="Only rows that no other beats in both columns: the less the better; -COLUMN: the more.",
)
@click.option("--top", type=Whole(), metavar="NUMBER", help="Only so many rows.")
@click.option("--question", metavar="LABEL", help="Ask this question of the study.")
@click.option("--kind", "kinds", multiple=True, metavar="KIND", help="Count only this kind of memory (repeatable).")
@click.option("--strict/--at-most", default=None, help="Less than the capacity, or at most the capacity.")
@rule_options
@click.option(
    "--engine",
    default="numpy",
    metavar="NAME",
    help="numpy, or numba: the sweep is compiled first, for many millions.",
)
@click.option("--yes", is_flag=True, help="Go on, however many configurations there are.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object; with -o, what was written.")
def command(
    varied: tuple[str, ...],
    output: str | None,
    columns: tuple[str, ...],
    instants: bool,
    terms: bool,
    conditions: tuple[str, ...],
    sort: str | None,
    pareto: str | None,
    top: int | None,
    question: str | None,
    kinds: tuple[str, ...],
    strict: bool | None,
    multiple_of: str | None,
    divides: str | None,
    at_most_devices: str | None,
    engine: str,
    yes: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Answer every combination of what is varied, each exactly as `solve` does.

    Where n_fsdp is varied, it tells what is held at it. Files are complete or absent.
    """
    from symbolic_mem.sweeps.plan import need_numpy, plan
    from symbolic_mem.sweeps.vary import varied as read

    flags = {key: options.pop(key) or None for key in ("power_of_two", "whole_samples", "padded_rows")}
    asked = {"kinds": list(kinds) or None, "strict": strict, "multiple_of": multiple_of, "divides": divides} | flags
    asked["at_most"] = at_most_devices
    need_numpy()
    from symbolic_mem.sweeps.write import checked

    place = None if output is None else checked(output)
    axes = read(varied)
    if not axes:
        raise BadInput("nothing is varied; add for example --vary B=1,2,4 or --vary S=1024:8193:1024")
    study = chosen_study(options, reads_devices="device" in axes)
    from symbolic_mem.render.text import plain_prose
    from symbolic_mem.study.precedence import idle_rest

    for fault in idle_rest(study):
        raise BadInput(f"--rest: {plain_prose(fault)}")
    planned = plan(
        study,
        columns=columns or None,
        instants=instants,
        terms=terms,
        question=question,
        asks={key: value for key, value in asked.items() if value is not None},
        axes=axes,
        where="--vary",
        options=SPELLED,
        engine=engine,
    )
    planned.refuse_too_many(yes, "--yes")
    wanted = _wanted(planned, conditions, sort, pareto, top)
    said = [plain_prose(one) for one in planned.beside]
    head = {"study": planned.study.name, "points": planned.points}
    beside = {"beside": said} if said else {}
    if place is not None:
        count = _written(planned, wanted, place)
        if as_json:
            print_json({**head, "file": str(place[0]), "written": count, **beside})
        else:
            of = "" if count == planned.points else f" of {planned.points:,}"
            click.echo(f"{place[0]}: {count:,}{of} configurations")
    elif as_json:
        rows, more = _first(planned, wanted, top or 10_000)
        print_json({**head, "rows": rows, "more": more, **beside})
    else:
        _show(planned, *_first(planned, wanted, top or SHOWN))
    if not as_json:
        from symbolic_mem.cli.tables import print_line

        if said and place is None:
            click.echo("")
        for one in said:
            print_line(one, "beside      ", 0)


def _wanted(plan: Plan, conditions: tuple[str, ...], sort: str | None, pareto: str | None, top: int | None) -> Wanted:
    from symbolic_mem.sweeps.rows import Wanted, condition

    names = (*plan.axes_names, *plan.columns, *plan.extras)
    column = None if sort is None else sort.removeprefix("-")
    if column is not None and column not in names:
        raise BadInput.unknown(f"--sort {sort!r}: there is no column {column!r}", column, names)
    where = tuple(condition(text, plan, names) for text in conditions)
    front = tuple(
        (one.strip().removeprefix("-"), one.strip().startswith("-")) for one in (pareto or "").split(",") if one
    )
    words = (*(one.name for one in plan.axes.choices), "instant", "fits")
    for name, _ in front:
        if name not in names or name in words:
            known = [one for one in names if one not in words]
            raise BadInput.unknown(f"--pareto {pareto!r}: {name!r} is no column of numbers", name, known)
    if pareto is not None and len(front) != 2:
        raise BadInput(f"--pareto {pareto!r}: name two columns, as in --pareto n_fsdp,-B")
    return Wanted(plan, where, column, sort is not None and sort.startswith("-"), top, front)


def _written(plan: Plan, wanted: Wanted, place: tuple[Any, str]) -> int:
    """Write the rows, and return how many there are."""
    from symbolic_mem.render.files import replaced
    from symbolic_mem.sweeps.run import PIECE, answers
    from symbolic_mem.sweeps.table import collected
    from symbolic_mem.sweeps.write import Csv, Parquet, arrays, packed

    path, ending = place
    if ending == "npz" and not wanted.everything:
        raise BadInput(
            "--where, --pareto, --sort and --top choose rows, and an .npz file holds whole axes; write .csv or .parquet"
        )
    if ending == "svg" and not wanted.front:
        raise BadInput("an .svg file shows the front of two columns; add --pareto, or write .csv or .parquet")
    count = 0
    with replaced(path) as folder:
        if ending == "svg":
            count = _drawn(plan, wanted, folder / "whole")
        elif ending == "npz":
            parts = folder / "columns"
            parts.mkdir()
            made = collected(plan, _progress(plan, answers(plan, PIECE)), arrays(parts))
            packed(plan, dict(made.columns), dict(made.coordinates), folder / "whole")
            count = plan.points
        else:
            writer = {"csv": Csv, "parquet": Parquet}[ending](plan, folder / "whole")
            try:
                for rows in wanted.streams(_rows(plan)):
                    writer.write(rows)
                    count += len(next(iter(rows.values())))
            finally:
                writer.close()
    return count


def _drawn(plan: Plan, wanted: Wanted, place: Path) -> int:
    """Draw the front, and return how many points it has."""
    from fractions import Fraction

    from symbolic_mem.base.symbols import writing
    from symbolic_mem.render.svg import svg
    from symbolic_mem.sweeps.front import front_figure

    names = [name for name, _ in wanted.front]
    points = [
        point
        for rows in wanted.streams(_rows(plan))
        for point in zip(*([Fraction(one) for one in rows[name].tolist()] for name in names), strict=True)
    ]
    with writing(plan.study.written):
        place.write_text(svg(front_figure(plan, wanted.front, points)), encoding="utf-8")
    return len(points)


def _rows(plan: Plan) -> Iterator[Rows]:
    from symbolic_mem.sweeps.rows import rows_in_order
    from symbolic_mem.sweeps.run import answers

    yield from rows_in_order(plan, _progress(plan, answers(plan, STREAMED)))


def _progress(plan: Plan, pieces: Iterable[Answered]) -> Iterator[Answered]:
    """Pass pieces on, and say on a terminal how far they are, once that takes more than two seconds."""
    start, done, said = time.monotonic(), 0, 0.0
    seen = sys.stderr.isatty()
    for piece, columns in pieces:
        yield piece, columns
        done += next(iter(columns.values())).size
        now = time.monotonic() - start
        if seen and now > 2 and now - said > 0.5:
            said = now
            left, share = now * (plan.points - done) / done, 100 * done // plan.points
            click.echo(f"\r{share} % of {plan.points:,} configurations, {left:,.0f} s left  ", err=True, nl=False)
    if said:
        click.echo(f"\r{' ' * 78}\r", err=True, nl=False)


def _first(plan: Plan, wanted: Wanted, number: int) -> tuple[list[dict[str, Any]], int]:
    """The first rows, each as a record of plain values, and how many more there are."""
    from symbolic_mem.sweeps.rows import absent

    records: list[dict[str, Any]] = []
    count = 0
    for rows in wanted.streams(_rows(plan)):
        size = len(next(iter(rows.values())))
        for at in range(max(0, min(size, number - len(records)))):
            one = {name: column[at] for name, column in rows.items()}
            one = {name: value.item() if hasattr(value, "item") else value for name, value in one.items()}
            if "instant" in one:
                one["instant"] = plan.words[one["instant"]] if one["instant"] >= 0 else None
            none = [name for name in one if (gone := absent(plan, rows, name)) is not None and gone[at]]
            one |= dict.fromkeys(none)
            records.append(one)
        count += size
        if wanted.everything and len(records) == number:  # what more there is need not be answered to be counted
            return records, plan.points - number
    return records, count - len(records)


def _show(plan: Plan, records: list[dict[str, Any]], more: int) -> None:
    from symbolic_mem.cli.tables import print_table, print_title

    print_title(plan.study.heading)
    click.echo("")
    if not records:
        click.echo("no configuration is as asked")
        return
    names = list(records[0])
    cells = [[_cell(name, record[name]) for name in names] for record in records]
    right = [i for i, name in enumerate(names) if all(isinstance(r[name], int | float | None) for r in records)]
    print_table(names, cells, right)
    if more:
        click.echo(f"\nand {more:,} more; --top says how many are shown, -o FILE writes them all")


def _cell(name: str, value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        from fractions import Fraction

        from symbolic_mem.cli.tables import figure

        return figure(Fraction(value), "s", 4)
    from symbolic_mem.base.told import grouped

    return grouped(str(value)) if isinstance(value, int) else str(value)
