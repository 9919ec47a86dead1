"""What is shipped: a wheel with the templates, studies and devices in it, usable where nothing else is installed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

from symbolic_mem.documents.documents import homework
from symbolic_mem.library.bundled import bundled
from symbolic_mem.library.read import load_study
from symbolic_mem.render.document import render

ROOT = Path(__file__).parents[1]
STUDY = "cs336-a2-xxl"

pytestmark = pytest.mark.slow  # it builds the wheel; a part of .ci/run of its own


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel that `.ci/run` built and names; else one built here from the sources, without the network."""
    given = os.environ.get("SYMBOLIC_MEM_WHEEL")
    if given:
        return Path(given)
    hatchling = pytest.importorskip("hatchling.build", reason="building needs hatchling; .ci/run builds the wheel")
    folder = tmp_path_factory.mktemp("dist")
    before = Path.cwd()
    os.chdir(ROOT)
    try:
        return folder / hatchling.build_wheel(str(folder))
    finally:
        os.chdir(before)


def tracked(folder: str) -> set[str]:
    return {path.relative_to(ROOT / folder).as_posix() for path in (ROOT / folder).rglob("*") if path.is_file()}


def test_the_wheel_carries_every_template_and_data_file(wheel):
    inside = set(zipfile.ZipFile(wheel).namelist())
    assert {f"symbolic_mem/templates/{name}" for name in tracked("templates")} <= inside
    data = {name for name in tracked("symbolic_mem") if not name.endswith((".py", ".pyc"))}
    assert data and {f"symbolic_mem/{name}" for name in data} <= inside
    assert {f"symbolic_mem/shipped/data/account/{name}.json" for name in bundled()} <= inside
    assert {f"symbolic_mem/{name[:-5]}.json" for name in data if name.endswith(".toml")} <= inside
    assert not [name for name in inside if name.startswith(("tests/", "docs/", "templates/")) or "__pycache__" in name]


@pytest.fixture(scope="module")
def elsewhere(wheel, tmp_path_factory):
    """Run the wheel's own code, with the packages of this environment but without this checkout."""
    folder = tmp_path_factory.mktemp("elsewhere")
    installed = folder / "installed"
    zipfile.ZipFile(wheel).extractall(installed)

    def run(*arguments, room="cli.entry", first="pass"):
        code = (
            f"import sys; sys.path.insert(0, {str(installed)!r}); from symbolic_mem.{room} import run; {first}; run()"
        )
        done = subprocess.run(
            [sys.executable, "-P", "-c", code, *arguments], cwd=folder, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run, folder, installed


def test_its_templates_render(elsewhere):
    run, folder, installed = elsewhere
    ready = "import jinja2; jinja2.Environment.compile = None"  # compiled when the wheel was built
    run("homework", STUDY, "-o", "x.tex", "-o", "x.md", "-o", "x.html", first=ready)
    made = homework(load_study(STUDY))
    for name in ("x.tex", "x.md", "x.html"):
        assert (folder / name).read_bytes() == render(made, "homework", name.partition(".")[2])
    assert "219\\,848\\,638\\,464" in (folder / "x.tex").read_text(encoding="utf-8")
    assert (folder / "x.html").stat().st_size > 10_000
    code = (
        f"import sys; sys.path.insert(0, {str(installed)!r}); from symbolic_mem.render.templates import template_folder"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", code + "; print(template_folder())"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    assert Path(done.stdout.strip()) == installed.resolve() / "symbolic_mem" / "templates"


def test_it_answers(elsewhere):
    run, _, _ = elsewhere
    assert json.loads(run("solve", STUDY, "--json"))["value"] == 46


def test_it_has_accounts_ready(elsewhere):
    """What it prints without its command line is what it prints with it."""
    run, _, _ = elsewhere
    for asked in (("account", STUDY, "--set", "n_fsdp=64", "--json"), ("solve", STUDY, "--device", "b200", "--json")):
        ready = run(*asked, first="sys.modules['symbolic_mem.cli.main'] = None")
        assert ready == run(*asked, room="cli.main")


@pytest.mark.skipif("SYMBOLIC_MEM_WHEEL" not in os.environ, reason="installs from the network: .ci/run does it")
def test_the_wheel_installed_in_a_clean_environment_makes_a_pdf(wheel, tmp_path):
    """No dev groups, no checkout: the extra `documents` alone."""
    venv.create(tmp_path / "env", with_pip=True)
    python = tmp_path / "env" / ("Scripts" if os.name == "nt" else "bin") / "python"
    subprocess.run([python, "-m", "pip", "install", "-q", f"{wheel}[documents]"], check=True, stdin=subprocess.DEVNULL)
    program = python.with_name("symbolic-mem")
    environment = {**os.environ, "PATH": os.defpath if os.name == "nt" else str(tmp_path)}
    subprocess.run([program, "homework", STUDY, "-o", "x.pdf"], cwd=tmp_path, env=environment, check=True)
    assert (tmp_path / "x.pdf").read_bytes().startswith(b"%PDF-")
    listed = subprocess.run([python, "-m", "pip", "list", "--format=json"], capture_output=True, text=True, check=True)
    names = {row["name"].lower() for row in json.loads(listed.stdout)}
    assert not names & {"pytest", "hypothesis", "ruff", "pypdf"}
