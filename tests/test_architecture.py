"""The rooms of the package: import-linter's contracts hold, and nothing goes around them where it cannot see.

The order of the rooms stands in pyproject.toml, `[tool.importlinter]`, and is told in docs/architecture.md, whose names
are held against the code.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import pytest
import sources

import symbolic_mem as sm
from symbolic_mem.questions.registry import ASKS

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
PACKAGE = ROOT / "symbolic_mem"
FILES = {path.relative_to(PACKAGE).as_posix(): path.read_text(encoding="utf-8") for path in sources.FILES}
PLACES = {text: PACKAGE / path for path, text in FILES.items()}
# Where modules are imported by name: the types of questions, the verbs, the public names.
BY_NAME = ("questions/registry.py", "cli/main.py", "__init__.py")
# Whether an optional package is installed is asked without importing it.
ASKS_WHAT_IS_INSTALLED = {"render/typst.py": {"importlib.util.find_spec"}}
MAKERS = ("Symbol", "symbols", "Dummy", "Wild", "var", "IndexedBase")


@cache
def parsed(text: str) -> ast.Module:
    """The tree of a file, which several tests read: that of the package's own is read once for all of them."""
    return sources.tree(PLACES[text]) if text in PLACES else ast.parse(text)


@cache
def walked(text: str) -> Sequence[ast.AST]:
    """Its nodes."""
    return sources.nodes(PLACES[text]) if text in PLACES else tuple(ast.walk(parsed(text)))


def imported(every: Sequence[ast.AST]) -> Iterator[tuple[str, str]]:
    """Every import, wherever it stands: the module, and the name that is taken from it (empty for the module)."""
    for node in every:
        if isinstance(node, ast.Import):
            yield from ((name.name, "") for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (("." * node.level + (node.module or ""), name.name) for name in node.names)


def called(every: Sequence[ast.AST]) -> Iterator[str]:
    """The last name of everything that is called, as it is called where it comes from."""
    own = {name.asname: name.name for node in every if isinstance(node, ast.ImportFrom) for name in node.names}
    for node in every:
        if isinstance(node, ast.Call):
            if isinstance(node.func, ast.Attribute):
                yield node.func.attr
            elif isinstance(node.func, ast.Name):
                yield own.get(node.func.id, node.func.id)


def documentation(every: Sequence[ast.AST]) -> set[int]:
    """The strings that are documentation: they name modules for a reader, and doctests import them."""
    bodies = (node.body for node in every if hasattr(node, "body") and isinstance(node.body, list))
    return {id(body[0].value) for body in bodies if body and isinstance(body[0], ast.Expr)}


def imports_by_name(path: str, text: str) -> list[str]:
    """What a file does to import a module whose name it computes."""
    if path in BY_NAME:
        return []
    every = walked(text)
    allowed = ASKS_WHAT_IS_INSTALLED.get(path, set())
    names = [f"{module}.{name}" if name else module for module, name in imported(every)]
    machinery = ("importlib", "pkgutil", "runpy", "imp")
    found = [name for name in names if name.split(".")[0] in machinery and name not in allowed]
    found += [name for name in called(every) if name in ("import_module", "__import__")]
    said = documentation(every)
    return found + [
        node.value
        for node in every
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and id(node) not in said
        and re.match(r"symbolic_mem\.\S*$", node.value)
    ]


def imports_of_the_facade(text: str) -> list[str]:
    """The imports that go through the package itself, or that do not say where they go."""
    return [
        f"{module} {name}".strip()
        for module, name in imported(walked(text))
        if module == "symbolic_mem" or module.startswith(".") or (module.startswith("symbolic_mem.") and not name)
    ]


def makes_a_symbol(text: str) -> list[str]:
    """The calls that make a symbol."""
    return [name for name in called(walked(text)) if name in MAKERS]


@cache
def defined(text: str) -> set[str]:
    """Every name that a file defines, at any depth: ``Work``, ``Work.check`` and ``check``, or imports from another."""
    found: set[str] = set()

    def visit(node: ast.AST, owner: str) -> None:
        for child in ast.iter_child_nodes(node):
            names = []
            if isinstance(child, ast.FunctionDef | ast.ClassDef):
                names = [child.name]
            elif isinstance(child, ast.Assign | ast.AnnAssign):
                targets = child.targets if isinstance(child, ast.Assign) else [child.target]
                names = [target.id for target in targets if isinstance(target, ast.Name)]
            elif isinstance(child, ast.ImportFrom):
                names = [name.asname or name.name for name in child.names]
            found.update(names, [f"{owner}.{name}" for name in names if owner])
            visit(child, child.name if isinstance(child, ast.ClassDef) else owner)

    visit(parsed(text), "")
    return found


@cache
def defined_anywhere() -> set[str]:
    """Every name that a file of the package defines."""
    return set().union(*map(defined, FILES.values()))


def unknown_names(block: str) -> list[str]:
    """The files that a block of the page names and that are not there, and the names that none of its files holds.

    A block without a file may name anything that the package defines; any block may name a room.
    """
    spans = re.findall(r"`([^`\n]+)`", block)
    paths = [span for span in spans if re.fullmatch(r"[\w./-]+(/|[.](py|toml|j2))", span) and span != "__init__.py"]
    places = [place for path in paths for place in (PACKAGE / path, ROOT / path) if place.exists()]
    texts = [place.read_text(encoding="utf-8") for place in places if place.suffix == ".py"]
    known = set().union(*map(defined, texts)) if texts else defined_anywhere()
    names = [span for span in spans if re.fullmatch(r"[A-Za-z_]\w*([.]\w+)?", span) and span not in paths]
    rooms = {path.partition("/")[0] for path in FILES}
    return [path for path in paths if not ((PACKAGE / path).exists() or (ROOT / path).exists())] + [
        name
        for name in names
        if name not in known | rooms | {"config.json"} and name.removeprefix("sm.") not in sm.__all__
    ]


def blocks(page: str) -> list[str]:
    """The paragraphs, items and rows of a page, without its code."""
    prose = re.sub(r"^```.*?^```$", "", page, flags=re.DOTALL | re.MULTILINE)
    return [block for block in re.split(r"\n\n|\n(?=\||- |\d+[.] )", prose) if block.strip()]


def test_what_the_page_names_is_there():
    assert {block: gone for block in blocks(PAGE) if (gone := unknown_names(block))} == {}


def test_a_name_that_is_gone_is_seen():
    assert unknown_names("`document/work.py`: `Work.check`") == []
    assert unknown_names("`document/work.py`: `Work.chek`") == ["Work.chek"]
    assert unknown_names("`document/works.py`") == ["document/works.py"]
    assert len(blocks(PAGE)) > 40


def test_the_page_tells_the_rooms_in_the_order_of_the_contract():
    told = [re.findall(r"`(\w+)(?:/|[.]py)`", row) for row in re.findall(r"^\| (`[^|]+) \|", PAGE, re.MULTILINE)]
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    layers = next(contract["layers"] for contract in contracts if contract["id"] == "rooms")
    assert [layer.split(" | ") for layer in layers if layer != "__main__"] == told[: len(layers) - 1]


def test_no_contract_ignores_an_import():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    assert not any("ignore_imports" in contract for contract in settings["contracts"])
    assert settings["exclude_type_checking_imports"] is False


def test_the_contracts_of_the_imports_hold():
    pytest.importorskip("importlinter", reason="the extra `test` installs import-linter; .ci/run runs it, too")
    code = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    done = subprocess.run(
        [sys.executable, "-c", code, "--no-logo", "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_nothing_is_imported_by_name():
    assert {path: found for path, text in FILES.items() if (found := imports_by_name(path, text))} == {}


def test_nothing_inside_imports_the_package_itself():
    assert {path: found for path, text in FILES.items() if (found := imports_of_the_facade(text))} == {}


def test_symbols_are_made_in_one_file():
    assert [path for path, text in FILES.items() if makes_a_symbol(text)] == ["base/symbols.py"]


def test_the_door_of_a_room_holds_no_code():
    doors = {path: parsed(text).body for path, text in FILES.items() if path.endswith("/__init__.py")}
    assert len(doors) > 15
    assert [path for path, body in doors.items() if len(body) != 1 or not ast.get_docstring(ast.Module(body, []))] == []


def test_every_room_is_a_folder_and_nothing_else_lies_beside_them():
    assert {path for path in FILES if "/" not in path} == {"__init__.py", "__main__.py", "api.py"}


def test_a_type_of_question_is_seen_by_no_other_and_by_no_part():
    modules = {f"symbolic_mem.questions.{ask}" for ask in ASKS}
    seen = {
        path: found
        for path, text in FILES.items()
        if path.startswith("questions/")
        and (found := modules & {word for where, name in imported(walked(text)) for word in (where, f"{where}.{name}")})
    }
    assert seen == {}


def test_every_file_of_questions_is_a_type_or_the_registry():
    here = {Path(path).stem for path in FILES if path.startswith("questions/") and path.count("/") == 1}
    assert here == {*ASKS, "registry", "__init__"}


@pytest.mark.parametrize(
    "line",
    [
        "from importlib import import_module",
        "import importlib.util",
        "__import__(name)",
        "where = 'symbolic_mem.cli.main:run'",
        "def f():\n    import pkgutil",
    ],
)
def test_an_import_by_name_is_seen(line):
    assert imports_by_name("base/units.py", line)
    assert not imports_by_name("cli/main.py", line)


def test_an_import_of_the_package_itself_is_seen():
    assert imports_of_the_facade("def f():\n    from symbolic_mem import solve")
    assert imports_of_the_facade("import symbolic_mem.api")
    assert imports_of_the_facade("from . import prose")
    assert not imports_of_the_facade("from symbolic_mem.base.errors import BadInput")


def test_a_symbol_made_elsewhere_is_seen():
    assert makes_a_symbol("x = sp.Symbol('x')")
    assert not makes_a_symbol("match x:\n    case sp.Symbol():\n        pass")
