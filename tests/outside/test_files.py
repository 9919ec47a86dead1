"""Whatever stands at whichever key of a file: it is read as it is written, or refused in one line, in little time."""

from __future__ import annotations

import datetime
import json
import math
import os
import re
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sampled import sampled
from walked import places, replaced, toml

import symbolic_mem
from symbolic_mem.base.errors import MOST_SAID, BadInput, SymbolicMemError
from symbolic_mem.base.tomlfile import parse_toml
from symbolic_mem.claims.table import check_rows, read_claims, written
from symbolic_mem.claims.verdict import Unread
from symbolic_mem.documents.documents import homework, report
from symbolic_mem.hardware.catalogue import BUNDLED, load_devices
from symbolic_mem.library.read import load_study, read_study
from symbolic_mem.questions.registry import ASKS, question_type
from symbolic_mem.render.document import render
from symbolic_mem.study.study import Study
from symbolic_mem.verify.cases import read_cases
from symbolic_mem.verify.families import compare_case

STUDIES = Path(symbolic_mem.__file__).parent / "library" / "studies"
SECONDS = 30  # of the clock; a machine that does much else at the same time is slow

# What is right nowhere but in a text that is only printed, by what is wrong with it.
NEVER = {
    "no number": math.nan,
    "no end": math.inf,
    "a date": datetime.date(2026, 11, 23),
    "too large": 10**400,
    "hexadecimal": "0x10",
    "a power": "1e9999",
    "digits of another script": "１２",
    "a letter that looks like B": "В",
    "a call": "__import__('os')",
    "very long": "y" * 5_000,
    "a tower": "((((9**64)**64)**64)**64)**64",
    "infinite": "0**-1",
    "many terms": "((L + B + S)**64)**64",
    "a control character": "a\x1b[31m",
    "a turned direction": "a\u202eb",
    "nested lists": [[[1]]],
    "nested tables": {"a": {"b": 1}},
}
# What is wrong at most keys, and right at some.
SELDOM = {"true": True, "less than nothing": -1, "nothing": 0, "a half": 1.5, "empty": "", "no entries": []}
# The last keys of texts that are only printed, and of names that a study gives.
TEXTS = {
    *("title", "source", "text", "notes", "label", "unit", "meaning", "statement", "note", "slip", "printed_note"),
    *("saved_reason", "name"),
}
PRINTED = (
    "hexadecimal",
    "very long",
    "a control character",
    "a turned direction",
    "empty",
)  # what texts are tried with


@contextmanager
def in_time(what: object) -> Iterator[None]:
    """Fail where the block takes longer than any input may."""

    def over(*_: object) -> None:
        raise TimeoutError(f"{what} was not done in {SECONDS} s")

    before = signal.signal(signal.SIGALRM, over)
    signal.alarm(SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


DOUBLED = re.compile(r"[^'\"]*(?<![\w-])([\w\]]+): \1(?!\w)")  # a place that is said again


def refused(what: object, use: Callable[[], object], place: str = "") -> bool:
    """Whether an input is refused: in one printable line that is not too long, and in time.

    The line begins with the place of the fault, which it names once; so does that of a file which a file names.
    """
    try:
        with in_time(what):
            use()
    except SymbolicMemError as error:
        said = str(error)
        assert 0 < len(said) <= MOST_SAID and said.isprintable(), (what, said)
        assert said.startswith((place, str(STUDIES))) and not DOUBLED.match(said), (what, said)
        assert not place or said.count(place) == said.startswith(place), (what, said)
        return True
    return False


def kind_of(place: tuple, ask: str) -> tuple:
    """The key of the format that a place holds: positions, and names that a study itself gives, do not count."""
    kinds = ["*" if isinstance(key, int) else key for key in place]
    for table in ("given", "editions", "values", "cases", "printed", "written"):
        if table in kinds and kinds.index(table) + 1 < len(kinds):
            at = kinds.index(table) + 1 + (kinds[kinds.index(table) + 1] == "*")
            if at < len(kinds) and kinds[at] not in (
                "name",
                "model",
                "printed",
                "figure",
                "edition",
                "computes",
                "slip",
            ):
                kinds[at] = "NAME"
    return (ask, *kinds)


def declared(ask: str) -> tuple[str, ...]:
    """The keys of a type of question."""
    return question_type(ask).keys()


def study_inputs() -> dict[tuple, tuple[dict, tuple]]:
    """Every key of a study file that bundled studies have, each with such a study, and those that questions can have."""
    found: dict[tuple, tuple[dict, tuple]] = {}
    bases: dict[str, dict] = {}
    for path in sorted(STUDIES.glob("*.toml")):
        content = parse_toml(path.read_bytes(), path.name)
        asked = content.get("question", [])
        for question in asked:
            study = {**content, "question": [question]}
            bases.setdefault(question["ask"], study)
            for place in places(question):
                found.setdefault(kind_of(place, question["ask"]), (study, ("question", 0, *place)))
        study = {**content, "question": asked[:1]}
        for place in places({key: value for key, value in content.items() if key != "question"}):
            found.setdefault(kind_of(place, ""), (study, place))
    for ask in ASKS:
        study = bases[ask]
        for key in declared(ask):
            if (ask, key) not in found:
                question = {**study["question"][0], key: None}
                found[ask, key] = ({**study, "question": [question]}, ("question", 0, key))
    return found


INPUTS = study_inputs()


def test_every_type_of_question_with_every_key_is_walked():
    keys = {place[:2] for place in INPUTS if place[0]}
    assert keys >= {(ask, key) for ask in ASKS for key in declared(ask)}
    assert len(INPUTS) * len(NEVER | SELDOM) >= 2_000


def answered(content: dict) -> str:
    """How a study of that content ends: ``refused`` when it is read, ``late`` when it is asked, or ``taken``."""
    made: list[Study] = []

    def read() -> None:
        made.append(read_study(parse_toml(toml(content), "my.toml"), "my.toml", "my", STUDIES))

    if refused(content, read, "my.toml"):
        return "refused"
    document = homework if made[0].questions else report
    return "late" if refused(content, lambda: render(document(made[0]), "homework", "md")) else "taken"


@pytest.mark.parametrize("part", sampled(range(16), 16))
def test_a_wrong_value_at_any_key_of_a_study(part):
    for place, (study, at) in list(INPUTS.items())[part::16]:
        key = next(key for key in reversed(place) if key not in ("*", "NAME"))
        printed = key in TEXTS or place[1] == "editions"
        for name, value in (NEVER | SELDOM).items():
            if printed and isinstance(value, str) and name not in PRINTED:
                continue
            end = answered(replaced(study, at, value))
            assert end != "taken" or name in SELDOM or (printed and isinstance(value, str)), (place, name)


CONFIGS = ("llama-3.1-8b", "deepseek-v3", "gpt2-xl", "mixtral-8x7b")
JSON_VALUES = {
    **{name: value for name, value in NEVER.items() if name not in ("no number", "no end", "a date")},
    **SELDOM,
    "null": None,
}


@pytest.mark.parametrize("name", sampled(CONFIGS, 4))
def test_a_wrong_value_at_any_key_of_a_configuration(tmp_path, name):
    whole = json.loads((STUDIES / "configs" / f"{name}.json").read_text())
    taken, path = 0, tmp_path / "config.json"

    def account() -> None:
        study = load_study(str(path)).change(values={"B": 1, "S": 8})
        assert all(study.numbers[term.bytes] >= 0 for term in study.memory)

    for place in places(whole):
        for wrong, value in JSON_VALUES.items():
            path.write_text(json.dumps(replaced(whole, place, value)))
            taken += not refused((place, wrong), account)
    assert 0 < taken < len(list(places(whole))) * len(JSON_VALUES)


@pytest.mark.slow
def test_a_wrong_value_at_any_key_of_a_file_of_devices(tmp_path):
    content = parse_toml(BUNDLED.read_bytes(), "devices.toml")
    path, walked = tmp_path / "devices.toml", {}
    for device, table in content["devices"].items():
        for place in places(table):
            walked.setdefault(kind_of(place, "device"), (device, ("devices", device, *place)))
    source = next(iter(content["sources"]))
    walked |= {("source", key): (None, ("sources", source, key)) for key in content["sources"][source]}
    for kind, (device, at) in walked.items():
        for wrong, value in (NEVER | SELDOM).items():
            chosen = {key: table for key, table in content["devices"].items() if key == device}
            path.write_bytes(toml(replaced({**content, "devices": chosen}, at, value)))
            if not refused((kind, wrong), lambda: dict(load_devices(path))) and wrong in NEVER:
                assert next(key for key in reversed(kind) if key != "*") in {
                    *TEXTS,
                    "vendor",
                    "called",
                    "text",
                    "date",
                    "by",
                    "why",
                    "printed",
                }, (kind, wrong)


def test_a_wrong_cell_of_a_file_of_claims(tmp_path):
    study, path, right = (
        load_study("cs336-a2-xxl"),
        tmp_path / "claims.csv",
        {"name": "n_fsdp", "claim": "46", "question": "b"},
    )
    for column in (*right, "person"):
        for wrong, value in NEVER.items():
            if isinstance(value, str):
                row = {**right, "person": "Ann", column: value}
                cells = ",".join('"' + cell.replace('"', '""') + '"' for cell in row.values())
                path.write_text(f"{','.join(row)}\n{cells}\n", encoding="utf-8")
                verdicts = check_rows(study, read_claims(str(path)))
                never = "character" in wrong or "direction" in wrong
                assert isinstance(verdicts[0][1], Unread) or not never, (column, wrong)
                assert value not in written(verdicts) or not never, (column, wrong)


def test_a_wrong_value_at_any_key_of_a_file_of_cases(tmp_path):
    settings = {"preset": "cs336", "d_model": 64, "d_ff": 256, "L": 2, "B": 1, "S": 8}
    case = {"id": "a", "engine": "torch", "settings": settings, "quantity": "bytes", "value": 10}
    path = tmp_path / "cases.json"
    for place in places([case]):
        for wrong, value in JSON_VALUES.items():
            path.write_text(json.dumps(replaced([case], place, value)))
            refused((place, wrong), lambda: [compare_case(each) for each in read_cases(path)])


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no pipes with names")
@pytest.mark.parametrize("name", ["my.toml", "config.json", "model.gguf"])
def test_a_pipe_is_no_study(tmp_path, name):
    os.mkfifo(tmp_path / name)
    with in_time(name), pytest.raises(BadInput, match=r"is no regular file but a device or a pipe|is a folder without"):
        load_study(str(tmp_path / name))


def test_a_device_is_no_file(tmp_path):
    (tmp_path / "my.toml").symlink_to("/dev/zero")
    for use in (load_study, load_devices, read_claims, read_cases):
        with in_time(use), pytest.raises(BadInput, match="is no regular file"):
            use(str(tmp_path / "my.toml"))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("a." * 20_000 + "a = 1", "a key has more than 20 parts with dots between them"),
        ("x = { " + "'a b' . " * 300 + "a = 1 }", "a key has more than 20 parts"),
        ("a = " + "[" * 60 + "]" * 60 + "#" * 10_000, "is nested more than 20 levels deep"),
        ("".join(f"[a{i}]\n" for i in range(5_000)), "there are 5,000 keys; at most 1,000 are read"),
        ("[[question]]\n" * 2_000, "there are 2,000 tables; at most 1,000 are read"),
        ("a = [" + "1," * 20_000 + "]", "there are 20,000 entries; at most 10,000 are read"),
        ("L = 0x" + "f" * 40, "is too large; at most 10^30 is read"),
        (
            '[[question]]\n[[question]]\ntitle = "a\\u202eb"',
            "my.toml [[question]] number 2: title holds a character that",
        ),
        ('"a\\u001b" = 1', "the key 'a\\x1b' holds a control character"),
    ],
)
def test_a_file_with_too_much_in_it(content, said):
    with in_time(said), pytest.raises(BadInput) as refusal:
        parse_toml(content.encode(), "my.toml")
    assert said in str(refusal.value)


def test_what_is_text_is_kept():
    kept = "10\N{NO-BREAK SPACE}km, co\N{SOFT HYPHEN}operate, \U0001f468\N{ZERO WIDTH JOINER}\U0001f469, é, 漢字"
    assert parse_toml(f'title = "{kept}"'.encode(), "my.toml") == {"title": kept}


def test_a_letter_that_looks_like_another_is_named():
    with pytest.raises(BadInput, match="'В' in it is U\\+0412 cyrillic capital letter ve"):
        load_study("cs336-a2-xxl").change(values={"В": 4})
    with pytest.raises(BadInput, match="column 1: 'ｎ' is U\\+FF4E fullwidth latin small letter n"):
        content = {"title": "t", "model": {"kind": "ffn"}, "placement": {"weights": {"over": "ｎ_fsdp"}}}
        read_study(content, "my.toml", "my", Path())
