"""``symbolic-mem list``: what is bundled, with sources."""

from __future__ import annotations

from typing import Any

import click

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.told import number
from symbolic_mem.cli.options import print_json
from symbolic_mem.cli.tables import bold, figure, print_line, print_table

CATALOGUES = ("studies", "devices", "recipes", "optimizers", "profiles", "plans", "caches", "symbols")


@click.command("list")
@click.argument("what", required=False, type=click.Choice(CATALOGUES))
@click.option("--devices", metavar="FILE", help="A TOML file with your own devices.")
@click.option("--recipes", metavar="FILE", help="A TOML file with your own recipes.")
@click.option("--profiles", metavar="FILE", help="A TOML file with your own engine profiles.")
@click.option("--plans", metavar="FILE", help="A TOML file with your own plans.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(what: str | None, as_json: bool, **own: str | None) -> None:
    """Show what is bundled, with sources: studies, devices, recipes, optimizers, profiles, plans, formats of caches; one catalogue or all."""
    chosen = (what,) if what else CATALOGUES
    for name, path in own.items():
        if path is not None and name not in chosen:
            raise BadInput(f"--{name} names your own {name}, and {what} are listed; leave it out")
    found = {name: _CONTENT[name](own.get(name)) for name in chosen}
    if as_json:
        print_json(found)
        return
    for i, (name, rows) in enumerate(found.items()):
        if len(found) > 1:
            click.echo(("\n" if i else "") + bold(name.upper()))
        _SHOWN[name](rows)


def _studies(_: str | None) -> list[dict[str, Any]]:
    from symbolic_mem.library.bundled import bundled

    return [{"name": name, "title": title} for name, title in bundled().items()]


def _devices(path: str | None) -> list[dict[str, Any]]:
    from symbolic_mem.hardware.catalogue import load_devices

    return [
        {
            "name": name,
            "title": device.title,
            "label": device.label,
            "marketed_bytes": device.marketed,
            "binary_bytes": device.binary,
            "reported_bytes": device.reported,
            "reported_as": device.reported_as or None,
            "process_bytes": None if device.process is None else device.process.bytes,
            "flops_bf16": device.flops_bf16,
            "memory_bandwidth": device.memory_bandwidth,
            "links": [
                {"link": str(link), "bytes_per_second": link.bytes_per_second, "direction": link.direction}
                for link in device.bandwidths
            ],
            "second": [
                {"of": second.of, "value": second.value, "says": second.says, "why": second.why}
                for second in device.seconds
            ],
            "origins": [
                {
                    "of": each.about,
                    "called": each.called or None,
                    "source": each.source,
                    "date": each.date,
                    "confidence": each.confidence,
                }
                for each in device.origins
            ],
            "confidence": device.confidence,
            "date": device.date,
            "source": device.source,
            "notes": list(device.notes),
        }
        for name, device in load_devices(path).items()
    ]


def _recipes(path: str | None) -> list[dict[str, Any]]:
    from symbolic_mem.recipes.known import recipe_tables
    from symbolic_mem.recipes.listed import listed

    found: dict[str, Any] = {name: listed(name) for name in recipe_tables()}
    if path is not None:
        from symbolic_mem.recipes.own import read_recipes  # SymPy, in which recipes are computed with

        found |= read_recipes(path)
    return [
        {
            "name": name,
            "title": recipe.title,
            "bytes_per_parameter": None if recipe.bytes_per_parameter is None else number(recipe.bytes_per_parameter),
            "activation_bytes": number(recipe.activations),
            "input_bytes": {feeds: number(size) for feeds, size in recipe.quantised},
            "source": recipe.source,
        }
        for name, recipe in found.items()
    ]


def _optimizers(_: str | None) -> list[dict[str, Any]]:
    from symbolic_mem.base.shown import bytes_words
    from symbolic_mem.recipes.known import EVERY_ELEMENT
    from symbolic_mem.recipes.optimizers import optimizers

    def size(kept: Any) -> str:
        each = kept.bytes_per_element
        per = "the parameter's bytes" if each is None else bytes_words(f"{float(each):g}")
        where = "" if kept.rule == EVERY_ELEMENT else " (by shape)"
        return f"{kept.name}: {f'{kept.copies} x ' if kept.copies != 1 else ''}{per}{where}"

    return [
        {
            "name": name,
            "title": found.title,
            "keeps": [size(kept) for kept in found.kept if not kept.counter],
            "in_its_step": "" if found.step is None else found.step.words,
            "source": found.source,
        }
        for name, found in optimizers().items()
    ]


def _profiles(path: str | None) -> list[dict[str, Any]]:
    from symbolic_mem.models.known import listed, profile_tables

    rows: dict[str, Any] = {name: listed(name) for name in profile_tables()}
    if path is not None:
        from symbolic_mem.models.own_profiles import read_profiles  # SymPy, in which profiles are computed with

        rows |= read_profiles(path)
    return [
        {
            "name": name,
            "title": found.title,
            "kernel": found.kernel,
            "kernels": [row.removeprefix("attention ") for row in found.keeps if row.startswith("attention ")],
            "source": found.source,
        }
        for name, found in rows.items()
    ]


def _plans(path: str | None) -> list[dict[str, Any]]:
    from symbolic_mem.plans.known import listed, plan_tables

    rows: dict[str, Any] = {name: listed(name) for name in plan_tables()}
    if path is not None:
        from symbolic_mem.plans.read import read_plans  # SymPy, in which plans are computed with

        rows |= read_plans(path)
    return [
        {
            "name": name,
            "title": found.title,
            "divides": list(found.divided),
            "cuts": {dimension: str(over) for dimension, over in found.cuts},
            "source": found.source,
            "checked": getattr(found, "checked", None),  # of a caller's own plan nobody has said it
        }
        for name, found in rows.items()
    ]


def _caches(_: str | None) -> list[dict[str, Any]]:
    from fractions import Fraction

    from symbolic_mem.recipes.known import cache_tables

    return [
        {
            "name": name,
            "title": table["title"],
            "bytes_per_element": number(Fraction(table["bytes"])),
            "scale_bytes": number(Fraction(table.get("scale_bytes", 0))),
            "source": table["source"],
        }
        for name, table in cache_tables().items()
    ]


def _symbols(_: str | None) -> list[dict[str, Any]]:
    from symbolic_mem.base.glossary import listed

    return [
        {"name": entry.name, "meaning": entry.meaning, "unit": entry.unit, "given": entry.given} for entry in listed()
    ]


def _show_symbols(rows: list[dict[str, Any]]) -> None:
    cells = [(row["name"], row["meaning"], row["unit"], "yes" if row["given"] else "–") for row in rows]
    print_table(("symbol", "meaning", "unit", "can be given"), cells)


def _show_optimizers(rows: list[dict[str, Any]]) -> None:
    cells = [(row["name"], "; ".join(row["keeps"]) or "nothing", row["title"], row["source"]) for row in rows]
    print_table(("optimizer", "keeps between steps", "title", "source"), cells)
    for row in rows:
        if row["in_its_step"]:
            print_line(f"in its step, {row['in_its_step']}", row["name"], 13)


def _show_profiles(rows: list[dict[str, Any]]) -> None:
    cells = [(row["name"], row["kernel"], row["title"], row["source"]) for row in rows]
    print_table(("profile", "kernel", "title", "source"), cells)


def _show_caches(rows: list[dict[str, Any]]) -> None:
    cells = [(row["name"], f"{row['bytes_per_element']:g}", row["title"], row["source"]) for row in rows]
    print_table(("cache", "bytes/element", "title", "source"), cells)


def _show_plans(rows: list[dict[str, Any]]) -> None:
    cells = [
        (
            row["name"],
            ", ".join(row["divides"]) or "–",
            ", ".join(f"{dimension}/{over}" for dimension, over in row["cuts"].items()) or "–",
            row["title"],
            row["source"],
            row["checked"] or "–",
        )
        for row in rows
    ]
    print_table(("plan", "divides", "cuts", "title", "source", "checked against"), cells)


def _show_studies(rows: list[dict[str, Any]]) -> None:
    print_table(("study", "title"), [(row["name"], row["title"]) for row in rows])


def _show_devices(rows: list[dict[str, Any]]) -> None:
    from fractions import Fraction

    heads = ("device", "title", "label", "by", "reported, bytes", "by", "BF16 TFLOP/s", "by", "date")
    cells = [
        (
            row["name"],
            row["title"],
            row["label"] or "–",
            _by(row, "capacity"),
            f"≈ {row['reported_as']}" if row["reported_as"] else figure(row["reported_bytes"]),
            _by(row, "reported"),
            figure(None if row["flops_bf16"] is None else Fraction(row["flops_bf16"], 10**12)),
            _by(row, "flops"),
            row["date"],
        )
        for row in rows
    ]
    print_table(heads, cells, right=(4, 6))


def _by(row: dict[str, Any], figure: str) -> str:
    """By what kind of source a figure of a device is said."""
    return next((each["confidence"] for each in row["origins"] if each["of"] == figure), "–")


def _show_recipes(rows: list[dict[str, Any]]) -> None:
    heads = ("recipe", "bytes/parameter", "bytes/activation", "title", "source")
    cells = [
        (
            row["name"],
            "by shape" if row["bytes_per_parameter"] is None else f"{row['bytes_per_parameter']:g}",
            " or ".join(f"{size:g}" for size in (row["activation_bytes"], *row["input_bytes"].values())),
            row["title"],
            row["source"],
        )
        for row in rows
    ]
    print_table(heads, cells, right=(1, 2))


_CONTENT = {
    "studies": _studies,
    "devices": _devices,
    "recipes": _recipes,
    "optimizers": _optimizers,
    "profiles": _profiles,
    "plans": _plans,
    "caches": _caches,
    "symbols": _symbols,
}
_SHOWN = {
    "studies": _show_studies,
    "devices": _show_devices,
    "recipes": _show_recipes,
    "optimizers": _show_optimizers,
    "profiles": _show_profiles,
    "plans": _show_plans,
    "caches": _show_caches,
    "symbols": _show_symbols,
}
