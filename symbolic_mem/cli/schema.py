"""``symbolic-mem schema``: the JSON Schemas of what ``--json`` prints, and of a study file."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from symbolic_mem.base.errors import BadInput
from symbolic_mem.cli.complete import of
from symbolic_mem.cli.options import print_json

DIALECT = "https://json-schema.org/draft/2020-12/schema"


@click.command("schema")
@click.argument("name", required=False, shell_complete=of(lambda: schemas()))
def command(name: str | None) -> None:
    """Print the JSON Schema of NAME: a verb that has --json, `error`, or `study`; without NAME, of each by its name.

    \b
    symbolic-mem schema solve
    symbolic-mem schema study > study.schema.json
    """  # noqa: D301 (click's mark of lines that keep their breaks)
    known = schemas()
    if name is not None and name not in known:
        raise BadInput.unknown(f"NAME: there is no schema {name!r}", name, known)
    print_json({each: schema(each) for each in known} if name is None else schema(name))


def schemas() -> tuple[str, ...]:
    """The names of all schemas.

    >>> schemas()[:3]
    ('error', 'account', 'solve')
    """
    return (*_read("schemas")["outputs"], "study")


def schema(name: str) -> dict[str, Any]:
    """Return one schema with the definitions that it uses.

    >>> schema("solve")["required"]
    ['study', 'question', 'feasible', 'value']
    """
    if name == "study":
        return _study()
    content = _read("schemas")
    return _with_definitions(f"symbolic-mem {name} --json", content["outputs"][name], content["definitions"])


def _study() -> dict[str, Any]:
    """The schema of a study file: of its questions, the keys that each type of question reads."""
    from symbolic_mem.questions.registry import ASKS, question_type

    content = _read("study_schema")
    keys, asks = content["keys"], []
    for ask in ASKS:
        read = question_type(ask).keys()
        own = {key: keys.get(f"{ask}.{key}", keys.get(key)) for key in read}
        asks.append(
            {
                "type": "object",
                "title": ask,
                "required": ["ask"],
                "properties": {"label": {"type": "string"}, "ask": {"const": ask}, **own},
                "additionalProperties": False,
            }
        )
    definitions = content["definitions"] | {"question": {"oneOf": asks}}
    return _with_definitions("a study of symbolic-mem", content["study"], definitions)


def _with_definitions(title: str, content: Mapping[str, Any], definitions: Mapping[str, Any]) -> dict[str, Any]:
    used: dict[str, Any] = {}
    new = list(_references(content))
    while new:
        name = new.pop()
        if name not in used:
            used[name] = definitions[name]
            new += _references(used[name])
    return {"$schema": DIALECT, "title": title, **content, "$defs": {name: used[name] for name in sorted(used)}}


def _references(content: Any) -> Iterator[str]:
    """The definitions that a part of a schema refers to."""
    if isinstance(content, dict):
        for key, value in content.items():
            if key == "$ref":
                yield value.removeprefix("#/$defs/")
            else:
                yield from _references(value)
    elif isinstance(content, list):
        for each in content:
            yield from _references(each)


def _read(name: str) -> dict[str, Any]:
    return json.loads(Path(__file__).with_name(f"{name}.json").read_text(encoding="utf-8"))
