"""The floors: a file imports only from its own floor and from lower ones. The imports are read, not run."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import symbolic_mem

ROOT = Path(symbolic_mem.__file__).parent
FLOORS = (
    "errors",
    "read",
    "units",
    "symbols",
    "formula",
    "evaluate",
    "terms",
    "models",
    "recipes",
    "account",
    "placement",
    "compare",
    "hardware",
    "solve",
    "comms",
    "slips",
    "asks",
    "study",
    "check",
    "derive",
    "render",
    "sweep",
    "explore",
    "cli",
)
# Packages whose facade stands above all floors: the public names, and `python -m symbolic_mem`.
FACADE = ("__init__", "__main__", "lazy")
# A value may show itself, or offer the next floor's function as a method, from inside that one function.
FLUENT = {
    ("terms", "place"): "placement",
}
# What stands against the order today, with the cut that would mend it. A line that is no longer needed fails below.
OWED: dict[tuple[str, str], str] = {}


@dataclass(frozen=True)
class Import:
    """One import of this package: which module, of which module, inside which function, and whether for types only."""

    module: str
    imported: str
    function: str
    types_only: bool
    line: int

    @property
    def floors(self) -> tuple[str, str]:
        """The two floors that it connects."""
        return self.module.partition(".")[0], self.imported.partition(".")[0]


def read_imports(source: str, module: str) -> Iterator[Import]:
    """Yield the imports of symbolic_mem in a source text."""

    def walk(node: ast.AST, function: str, types_only: bool) -> Iterator[Import]:
        match node:
            case ast.ImportFrom(module=str(name)) if name.split(".")[0] == "symbolic_mem":
                inside = name.partition(".")[2]
                names = [inside] if inside else [alias.name for alias in node.names]
                yield from (Import(module, found, function, types_only, node.lineno) for found in names)
            case ast.ImportFrom(level=level) if level:
                raise AssertionError(f"{module}, line {node.lineno}: write imports from symbolic_mem in full")
            case ast.Import():
                for alias in node.names:
                    if alias.name.startswith("symbolic_mem."):
                        yield Import(module, alias.name.partition(".")[2], function, types_only, node.lineno)
            case ast.FunctionDef(name=name):
                for child in node.body:
                    yield from walk(child, name, types_only)
            case ast.If(test=ast.Name(id="TYPE_CHECKING")):
                for child in node.body:
                    yield from walk(child, function, True)
                for child in node.orelse:
                    yield from walk(child, function, types_only)
            case _:
                for child in ast.iter_child_nodes(node):
                    yield from walk(child, function, types_only)

    yield from walk(ast.parse(source), "", False)


def climbs(found: Import) -> bool:
    """Tell whether an import reaches a higher floor without leave."""
    here, there = found.floors
    if here in FACADE or there not in FLOORS or FLOORS.index(there) <= FLOORS.index(here):
        return False
    if found.types_only or (found.function.startswith("_repr_") and there == "render"):
        return False
    return FLUENT.get((found.module, found.function)) != there


def all_imports() -> list[Import]:
    found: list[Import] = []
    for path in sorted(ROOT.rglob("*.py")):
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        found += read_imports(path.read_text(encoding="utf-8"), module)
    return found


def owed(found: Import) -> bool:
    return any(found.module.startswith(module) and found.imported.startswith(name) for module, name in OWED)


def test_every_module_has_a_floor():
    known = {*FLOORS, *FACADE}
    homeless = {path.relative_to(ROOT).with_suffix("").parts[0] for path in ROOT.rglob("*.py")} - known
    assert not homeless, f"give a floor to {homeless}"


def test_no_file_imports_from_a_higher_floor():
    wrong = [found for found in all_imports() if climbs(found) and not owed(found)]
    assert not wrong, "\n".join(f"{w.module}, line {w.line}: imports {w.imported} from above" for w in wrong)


@pytest.mark.parametrize("debt", OWED, ids=" imports ".join)
def test_what_is_owed_is_still_owed(debt):
    module, name = debt
    still = [f for f in all_imports() if climbs(f) and f.module.startswith(module) and f.imported.startswith(name)]
    assert still, f"{module} no longer imports {name}: take the line out of OWED"


@pytest.mark.parametrize(
    ("module", "source", "wrong"),
    [
        ("terms", "from symbolic_mem.render.latex import latex", True),
        ("terms", "from symbolic_mem import cli", True),
        ("terms", "import symbolic_mem.solve.bound", True),
        ("terms", "def place(self):\n    from symbolic_mem.placement import place", False),
        ("terms", "def total(self):\n    from symbolic_mem.placement import place", True),
        ("solve.bound", "def _repr_latex_(self):\n    from symbolic_mem.render.latex import latex", False),
        ("solve.bound", "class A:\n    def show(self):\n        from symbolic_mem.render.latex import latex", True),
        ("cli.solve", "from symbolic_mem.errors import BadInput", False),
        ("solve.bound", "from symbolic_mem.solve.capacity import Capacity", False),
        ("solve.bound", "if TYPE_CHECKING:\n    from symbolic_mem.study import Study", False),
        ("solve.bound", "if TYPE_CHECKING:\n    pass\nelse:\n    from symbolic_mem.study import Study", True),
    ],
)
def test_the_test_itself_sees_what_it_should(module, source, wrong):
    assert any(climbs(found) for found in read_imports(source, module)) is wrong
