"""What needs no arithmetic answers at once: help, catalogues and refusals import neither SymPy nor Jinja2."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib

import pytest
from click.testing import CliRunner
from sampled import sampled

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.glossary import listed as listed_symbols
from symbolic_mem.base.symbols import table
from symbolic_mem.cli.main import VERBS, group
from symbolic_mem.library.bundled import bundled, bundled_path
from symbolic_mem.library.known import refuse_unknown_names
from symbolic_mem.library.read import load_study
from symbolic_mem.models.known import listed as listed_profile
from symbolic_mem.models.profile import profiles
from symbolic_mem.plans.known import listed as listed_plan
from symbolic_mem.plans.known import plan_tables
from symbolic_mem.plans.read import plans
from symbolic_mem.recipes.caches import cache_formats
from symbolic_mem.recipes.listed import listed as listed_recipe
from symbolic_mem.recipes.read import presets
from symbolic_mem.study.changes import changes

HEAVY = ("sympy", "jinja2", "mpmath", "symbolic_mem.study", "symbolic_mem.base.symbols")


def imported(*arguments: str) -> set[str]:
    """Names of all modules that a run of the command line imports."""
    code = (
        "import sys\n"
        "from symbolic_mem.cli.main import main\n"
        f"status = main({list(arguments)!r})\n"
        "print('imported:', *sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].removeprefix("imported:").split())


def output(*arguments: str) -> str:
    """What a run prints."""
    return CliRunner().invoke(group, list(arguments), catch_exceptions=False).stdout


def heavy_imports(*arguments: str) -> set[str]:
    """The heavy ones among them."""
    return imported(*arguments) & set(HEAVY)


@pytest.mark.parametrize("arguments", [("--version",), ("--help",), (), ("nope",)], ids=str)
def test_the_group_imports_nothing_heavy(arguments):
    assert heavy_imports(*arguments) == set()


@pytest.mark.parametrize("verb", sampled(VERBS, 4))
def test_the_help_of_a_verb_imports_nothing_heavy(verb):
    assert heavy_imports(verb, "--help") == set()


def test_the_package_itself_imports_nothing_heavy():
    code = f"import sys, symbolic_mem; print([name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_this_test_sees_a_heavy_import():
    assert {"sympy", "symbolic_mem.study"} <= heavy_imports("account", "cs336-a2-xxl")
    assert "jinja2" in heavy_imports("homework", "cs336-a2-xxl")


def engines(modules: set[str]) -> set[str]:
    """The modules that only an answer needs: solvers, but for what a device holds, and the classes of answers."""
    answering = ("symbolic_mem.solvers.", "symbolic_mem.questions.parts.found_")
    return {name for name in modules if name.startswith(answering)} - {"symbolic_mem.solvers.capacity"}


@pytest.mark.parametrize("study", sampled(["cs336-a2-xxl", "llama-3.1-8b", "deepseek-v3"], 3))
def test_reading_a_study_of_memory_imports_no_engine(study):
    assert engines(imported("account", study)) == set()


def test_an_answer_imports_its_engine():
    asked = engines(imported("solve", "cs336-a2-xxl"))
    assert {"symbolic_mem.solvers.degree", "symbolic_mem.questions.parts.found_degree"} <= asked
    assert "symbolic_mem.solvers.critical" not in asked


def test_verbs_are_completed_without_importing_one(monkeypatch):
    for name, value in {
        "_SYMBOLIC_MEM_COMPLETE": "bash_complete",
        "COMP_WORDS": "symbolic-mem ",
        "COMP_CWORD": "1",
    }.items():
        monkeypatch.setenv(name, value)
    code = "import atexit, sys\nfrom symbolic_mem.cli.main import main\natexit.register(lambda: print('imported:', *sys.modules))\nmain([])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    *offered, last = done.stdout.splitlines()
    assert offered == [f"plain,{verb}" for verb in VERBS]
    assert {f"symbolic_mem.cli.{verb}" for verb in VERBS} & set(last.split()) == set()


LISTED = ("studies", "devices", "recipes", "optimizers", "profiles", "plans", "caches", "symbols")


@pytest.mark.parametrize("catalogue", LISTED)
def test_a_catalogue_is_listed_without_sympy(catalogue):
    assert heavy_imports("list", catalogue) == set()


def test_a_bundled_study_is_shown_without_sympy():
    assert heavy_imports("show", "llama-3.1-8b") == set()


REFUSED = {
    "study": "nope",
    "plan": "fsdp2+nope",
    "recipe": "nope",
    "device": "nope",
    "profile": "nope",
    "optimizer": "nope",
    "cache": "nope",
}


WRONG = [
    ("account", "nope"),
    ("solve", "nobody/nothing"),
    ("homework", "./nothing"),
    ("compare", "nope", "--recipe", "fsdp2"),
    ("compare", "llama-3.1-8b", "--recipe", "fsdp2", "--set", "B"),
    ("fit", "nope", "--on", "8x h100-80gb"),
    ("fit", "llama-3.1-8b", "--on", "8x nope"),
    ("verify", "nope"),
    ("account", "llama-3.1-8b", "--set", "B"),
    ("account", "llama-3.1-8b", "--place", "weights"),
    *(("account", "llama-3.1-8b", f"--{what}", name) for what, name in REFUSED.items() if what != "study"),
]


@pytest.mark.parametrize("arguments", sampled([pytest.param(one, id=" ".join(one)) for one in WRONG], 3))
def test_what_needs_no_arithmetic_is_refused_without_sympy(arguments):
    assert heavy_imports(*arguments) == set()


@pytest.mark.parametrize("what", REFUSED)
def test_a_name_is_refused_early_in_the_words_of_what_would_look_it_up(what):
    with pytest.raises(BadInput) as early:
        refuse_unknown_names({what: REFUSED[what]})
    with pytest.raises(BadInput) as late:
        if what == "study":
            load_study(REFUSED["study"])
        load_study("cs336-a2-xxl").called(changes(by_option=True, **{what: REFUSED[what]}))
    assert str(early.value) == str(late.value)


def test_a_name_of_the_callers_own_file_is_left_to_what_reads_it():
    refuse_unknown_names({"recipe": "nope", "recipes": "mine.toml", "device": "nope", "devices": "mine.toml"})


def test_the_titles_of_studies_are_those_of_their_files():
    folder = bundled_path("llama-3.1-8b").parent
    whole = {path.stem: tomllib.loads(path.read_text(encoding="utf-8"))["title"] for path in folder.glob("*.toml")}
    assert bundled() == whole


def test_caches_are_listed_as_they_are_computed_with():
    listed = {row["name"]: row for row in json.loads(output("list", "caches", "--json"))["caches"]}
    made = {
        name: (found.title, found.source, float(found.bytes_each), float(found.scale_bytes))
        for name, found in cache_formats().items()
    }
    assert made == {
        name: (row["title"], row["source"], row["bytes_per_element"], row["scale_bytes"])
        for name, row in listed.items()
    }


@pytest.mark.parametrize("name", presets())
def test_a_recipe_is_listed_as_it_is_computed_with(name):
    listed, made = listed_recipe(name), presets()[name]
    assert {field: getattr(made, field) for field in listed._fields} == listed._asdict()


@pytest.mark.parametrize("name", profiles())
def test_a_profile_is_listed_as_it_is_computed_with(name):
    made = profiles()[name]
    assert listed_profile(name) == (made.title, made.source, made.kernel, tuple(made.keeps))


@pytest.mark.parametrize("name", plans())
def test_a_plan_is_listed_as_it_is_computed_with(name):
    made = plans()[name]
    cuts = tuple((dimension, str(over)) for dimension, over in made.cuts)
    checked = plan_tables()[name]["checked"]
    assert listed_plan(name) == (made.title, made.source, made.divided, cuts, checked)


def test_symbols_are_listed_as_they_are_computed_with():
    made = [*table(given=True), *table(given=False)]
    assert [
        (name.symbol.name, name.base, name.sub, name.meaning, name.unit, name.given, name.whole) for name in made
    ] == [tuple(entry) for entry in listed_symbols()]
