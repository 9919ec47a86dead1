"""A document can neither run nor read nor write anything, and nothing is left behind when the work is cut short."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pypdf
import pytest

from symbolic_mem.base.errors import MissingProgram, RenderError
from symbolic_mem.render import tex_engine
from symbolic_mem.render.pdf import pdf
from symbolic_mem.render.process import find_program

posix = pytest.mark.skipif(os.name != "posix", reason="process groups and shell scripts are POSIX")


@pytest.fixture(params=["typst", pytest.param("tex", marks=pytest.mark.system)])
def route(request, needs):
    if request.param == "tex":
        needs("latexmk", "pdflatex")
    return request.param


@pytest.fixture
def secret(tmp_path):
    file = tmp_path / "secret.tex"
    file.write_text("CONFIDENTIAL\n")
    return file


@pytest.fixture
def without_wheels(monkeypatch):
    monkeypatch.setitem(sys.modules, "pypandoc", None)
    monkeypatch.setitem(sys.modules, "typst", None)


@pytest.fixture
def engine_script(tmp_path, monkeypatch):
    """Put a shell script in the place of pdflatex, the only program on the PATH."""

    def write(script: str) -> None:
        folder = tmp_path / "bin"
        folder.mkdir()
        program = folder / "pdflatex"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", str(folder))

    return write


def document(body: str) -> str:
    return f"\\documentclass{{article}}\n\\begin{{document}}\n{body}\n\\end{{document}}\n"


def text_or_nothing(tex: str, route: str) -> str:
    try:
        data = pdf(tex, route=route)
    except RenderError:
        return ""
    return "".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(data)).pages)


def is_alive(pid: int) -> bool:
    status = Path(f"/proc/{pid}/stat")
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return not status.exists() or status.read_text().rsplit(")", 1)[1].split()[0] != "Z"


def test_a_document_cannot_run_a_program(route, tmp_path):
    mark = tmp_path / "mark"
    text_or_nothing(document(rf"text \immediate\write18{{touch {mark}}}\input{{|touch {mark}}}"), route)
    text_or_nothing(document(rf"text \immediate\write18{{touch {mark}}}"), route)
    assert not mark.exists()


@pytest.mark.parametrize(
    "command",
    [
        r"\input{SECRET}",
        r"\include{SECRET}",
        r"\lstinputlisting{SECRET}",
        r"\verbatiminput{SECRET}",
        r"\csname @@input\endcsname SECRET ",
        r"\newread\file \openin\file=SECRET \read\file to\line \line",
        r"\includegraphics{SECRET}",
    ],
)
def test_a_document_cannot_read_a_file(route, secret, command):
    assert "CONFIDENTIAL" not in text_or_nothing(document("text " + command.replace("SECRET", str(secret))), route)
    above = "../" * 12 + str(secret)[1:]
    assert "CONFIDENTIAL" not in text_or_nothing(document("text " + command.replace("SECRET", above)), route)


def test_a_document_cannot_write_a_file(route, tmp_path):
    mark = tmp_path / "mark.tex"
    text_or_nothing(document(rf"text \newwrite\file \immediate\openout\file={mark} \immediate\write\file{{x}}"), route)
    assert not mark.exists()


@pytest.mark.system
def test_lua_in_a_document_cannot_read_or_run(needs, secret, tmp_path):
    needs("lualatex")
    engine = next(engine for engine in tex_engine.engines() if engine.name == "lualatex")
    mark = tmp_path / "mark"
    code = (
        f'local f = io and io.open and io.open("{secret}") if f then tex.print(f:read("*l")) else tex.print("closed") end '
        f'if os.execute then os.execute("touch {mark}") end'
    )
    made = tex_engine.typeset(document(rf"\directlua{{{code}}}"), engine, deadline=time.monotonic() + 120)
    assert "closed" in pypdf.PdfReader(io.BytesIO(made)).pages[0].extract_text()
    assert not mark.exists()


@pytest.mark.system
def test_configuration_files_of_latexmk_are_not_run(needs, tmp_path, monkeypatch):
    needs("latexmk", "pdflatex")
    mark = tmp_path / "mark"
    for name in (".latexmkrc", "latexmkrc"):
        (tmp_path / name).write_text(f'system("touch {mark}");\n')
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert pdf(document("text"), route="tex").startswith(b"%PDF")
    assert not mark.exists()


@posix
@pytest.mark.parametrize("path", ["", ".", "bin", os.pathsep.join(["", "bin", "."])])
def test_programs_of_the_current_folder_are_never_found(engine_script, tmp_path, monkeypatch, path):
    engine_script("exit 0")
    assert find_program("pdflatex") == tmp_path / "bin" / "pdflatex"
    for folder in (tmp_path, tmp_path / "bin"):
        monkeypatch.chdir(folder)
        monkeypatch.setenv("PATH", path)
        assert find_program("pdflatex") is None


def test_without_any_program_the_error_names_the_two_ways(monkeypatch, without_wheels):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(MissingProgram, match=r"TeX Live.*pip install \"symbolic-mem\[documents\]\"") as caught:
        pdf(document("text"))
    assert caught.value.exit_status == 3
    for forced in ("tex", "typst"):
        with pytest.raises(MissingProgram):
            pdf(document("text"), route=forced)


def test_without_tex_the_wheels_do_it(monkeypatch):
    expected = pdf(document("text"), route="typst")
    monkeypatch.setenv("PATH", "")
    assert pdf(document("text")) == expected


LACKS_BOOKTABS = 'echo "! LaTeX Error: File \\`booktabs.sty\' not found." > document.log; exit 1'


@posix
@pytest.mark.parametrize(
    "script",
    [
        LACKS_BOOKTABS,
        "exit 1",
        "echo '!pdfTeX error: pdflatex (file ecrm1000): Font ecrm1000 at 600 not found' > document.log; exit 1",
    ],
)
def test_an_incomplete_tex_gives_way_to_the_wheels(engine_script, script):
    expected = pdf(document("text"), route="typst")
    engine_script(script)
    assert pdf(document("text")) == expected


@posix
def test_an_incomplete_tex_alone_is_named(engine_script, without_wheels):
    engine_script(LACKS_BOOKTABS)
    with pytest.raises(RenderError, match=r"pdflatex lacks a part of LaTeX: .*booktabs\.sty"):
        pdf(document("text"))


@posix
def test_a_wrong_document_does_not_give_way(engine_script):
    engine_script("printf '! Undefined control sequence.\\nl.3 \\\\wrong\\n' > document.log; exit 1")
    with pytest.raises(RenderError, match=r"Undefined control sequence\. at line 3, `\\wrong`"):
        pdf(document("text"))


@posix
def test_passes_are_repeated_until_nothing_changes(engine_script, tmp_path):
    # The third pass leaves the same side file as the second.
    engine_script(
        f"echo pass >> {tmp_path}/passes; read -r n < document.aux || n=0\n"
        '[ "$n" -lt 2 ] && n=$((n + 1)); echo "$n" > document.aux; printf "%%PDF-1.7\\n%%%%EOF\\n" > document.pdf'
    )
    assert pdf(document("text"), route="tex") == b"%PDF-1.7\n%%EOF\n"
    assert (tmp_path / "passes").read_text().count("pass") == 3


LINGERS = '/bin/sleep 300 &\necho $! > "{pids}"\n/bin/sleep 300'


@posix
def test_a_program_that_takes_too_long_is_stopped_with_all_its_children(engine_script, tmp_path, monkeypatch):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    engine_script(LINGERS.format(pids=tmp_path / "pids"))
    with pytest.raises(RenderError, match="did not finish in time"):
        pdf(document("text"), timeout=1.5)
    assert not is_alive(int((tmp_path / "pids").read_text()))
    assert list(scratch.iterdir()) == []


def test_the_time_limit_holds_for_the_wheels():
    with pytest.raises(RenderError, match="did not finish in time"):
        pdf(document("text"), route="typst", timeout=0)


@pytest.mark.system
def test_an_endless_document_is_stopped(needs):
    needs("latexmk", "pdflatex")
    with pytest.raises(RenderError, match="did not finish in time"):
        pdf(document(r"\def\again{\again}\again"), route="tex", timeout=2)


@posix
def test_an_interrupt_leaves_nothing_behind(engine_script, tmp_path):
    scratch, pids = tmp_path / "scratch", tmp_path / "pids"
    scratch.mkdir()
    engine_script(LINGERS.format(pids=pids))
    code = f"from symbolic_mem.render.pdf import pdf; pdf({document('text')!r})"
    child = subprocess.Popen(
        [sys.executable, "-c", code], env={**os.environ, "TMPDIR": str(scratch)}, stderr=subprocess.PIPE, text=True
    )
    patience = time.monotonic() + 60
    while not (pids.exists() and pids.read_text().strip()) and time.monotonic() < patience:
        time.sleep(0.02)
    assert len(list(scratch.iterdir())) == 1
    child.send_signal(signal.SIGINT)
    _, said = child.communicate(timeout=60)
    assert "KeyboardInterrupt" in said
    assert not is_alive(int(pids.read_text()))
    assert list(scratch.iterdir()) == []
