"""Programs that end well with a wrong file, hang, flood or crash; places that must not be replaced; what killed runs leave."""

from __future__ import annotations

import errno
import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sampled import sampled

from symbolic_mem.base.errors import BadInput, RenderError
from symbolic_mem.base.outside import read_content
from symbolic_mem.cli.main import main
from symbolic_mem.render import process, typst
from symbolic_mem.render.files import checked_outputs, write_whole
from symbolic_mem.render.leftover import mark
from symbolic_mem.render.pdf import pdf
from symbolic_mem.render.process import run_program, scratch_folder

pytestmark = pytest.mark.skipif(os.name != "posix", reason="shell scripts, pipes and signals are POSIX")
TEX = "\\documentclass{article}\n\\begin{document}\ntext\n\\end{document}\n"


@pytest.fixture
def program(tmp_path, monkeypatch):
    """Give `program(script)`: a shell script in the place of pdflatex, which alone is on the PATH, and of pandoc."""

    def write(script: str) -> Path:
        folder = tmp_path / "bin"
        folder.mkdir(exist_ok=True)
        path = folder / "pdflatex"
        path.write_text(script if script.startswith("#!") else f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        monkeypatch.setenv("PATH", str(folder))
        monkeypatch.setattr(typst, "pandoc_program", lambda: path)
        return path

    return write


@pytest.mark.parametrize(
    ("script", "said"),
    [
        (": > document.pdf", "left a file of 0 bytes that is no whole PDF"),
        ("echo %PDF-1.7 > document.pdf", "left a file of 9 bytes that is no whole PDF"),
        ("echo 'something else' > document.pdf", "left a file of 15 bytes that is no whole PDF"),
        ("/bin/ln -sf /etc/hostname document.pdf", "left a link in its place"),
        ("/bin/mkdir -p document.pdf", "left no PDF"),
        ("exit 0", "left no PDF"),
        ("echo 'No pages of output.' > document.log", "the document has no pages"),
        ("echo '!pdfTeX error: pdflatex: fwrite() failed' > document.log; exit 1", "temporary files cannot be written"),
    ],
)
def test_an_engine_that_leaves_no_whole_pdf_of_its_own(program, script, said):
    program(script)
    with pytest.raises(RenderError, match=said):
        pdf(TEX, route="tex")


@pytest.mark.parametrize(
    "script",
    ["#!/no/such/interpreter\n", "#!/bin/sh\nkill -SEGV $$\n", "#!/bin/sh\n/bin/head -c 100000000 /dev/zero\nexit 1\n"],
)
def test_an_engine_that_does_not_work_gives_way(program, script, monkeypatch):
    pandoc = typst.pandoc_program()
    program(script)
    monkeypatch.setattr(typst, "pandoc_program", lambda: pandoc)
    assert pdf(TEX).startswith(b"%PDF-")


def test_an_engine_that_floods_its_folder_is_stopped(program, monkeypatch):
    monkeypatch.setattr(process, "MOST_WRITTEN", 1_000_000)
    program("/bin/head -c 3000000 /dev/zero > flood; /bin/sleep 60")
    start = time.monotonic()
    with pytest.raises(RenderError, match="pdflatex wrote more than 1,000,000 bytes and was stopped"):
        pdf(TEX, route="tex")
    assert time.monotonic() - start < 30


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("exit 1", "pandoc refuses the document: it ended with status 1 and gave no reason"),
        ("echo reason; exit 1", "pandoc refuses the document: reason;"),
        ("kill -SEGV $$", "pandoc crashed .signal 11"),
        ("/bin/head -c 5000000 /dev/zero | /usr/bin/tr '\\0' y; exit 1", "pandoc refuses the document: yyyy"),
        ("exit 0", "left no log of what it lost"),
        ("echo no > log.json", "left no log of what it lost"),
        ("echo '[{}]' > log.json", "left no log of what it lost"),
        ("echo '[1]' > log.json", "left no log of what it lost"),
        ("echo '[]' > log.json", "left no Typst text"),
        ("echo '[]' > log.json; /bin/ln -s /etc/hostname document.typ", "left no Typst text"),
        ("echo '[]' > log.json; echo '#read(\"/etc/hostname\")' > document.typ", "Typst refuses the document"),
        ("echo '[]' > log.json; printf '\\377' > document.typ", "Typst refuses the document"),
    ],
)
def test_a_converter_that_fails_says_so_in_its_own_words(program, script, said):
    program(script)
    with pytest.raises(RenderError, match=said) as caught:
        pdf(TEX, route="typst")
    assert len(str(caught.value)) <= 2_000


def test_typst_that_does_not_end_is_stopped(program):
    program("echo '[]' > log.json; echo '#let f(x) = { let i = 0; while true { i += 1 } }; #f(1)' > document.typ")
    with pytest.raises(RenderError, match=r"did not finish in time|Typst refuses the document"):
        pdf(TEX, route="typst", timeout=8)


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS])
def test_a_full_place_of_temporary_files_is_named(code, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with (
        pytest.raises(RenderError, match=rf"{tmp_path}: temporary files cannot be written there .*set TMPDIR"),
        scratch_folder(),
    ):
        raise OSError(code, os.strerror(code))


def test_an_output_that_must_not_be_replaced(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    os.mkfifo("pipe.md")
    Path("kept.md").write_text("old")
    Path("kept.md").chmod(0o444)
    Path("d.json").write_text("{}")
    for name, said in (("pipe.md", "is no regular file"), ("kept.md", "may not be written")):
        with pytest.raises(BadInput, match=said):
            checked_outputs([name])
        with pytest.raises(BadInput, match=said):
            write_whole(Path(name), b"new")
    read_content("d.json", "JSON")
    Path("link.json").symlink_to("d.json")
    os.link("d.json", "hard.json")
    for name in ("d.json", "link.json", "hard.json"):
        with pytest.raises(BadInput, match="would replace a file that was read for it"):
            write_whole(Path(name), b"new")
    assert Path("d.json").read_text() == "{}" and stat.S_ISFIFO(Path("pipe.md").stat().st_mode)


def test_a_file_keeps_its_permissions(tmp_path):
    path = tmp_path / "x.md"
    path.write_text("old")
    path.chmod(0o640)
    write_whole(path, b"new")
    assert path.read_bytes() == b"new" and stat.S_IMODE(path.stat().st_mode) == 0o640


def dead() -> int:
    """The number of a process that has ended."""
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    return child.pid


def test_what_a_killed_run_left_is_removed_by_the_next_one(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    machine = mark().partition("-")[0]
    gone, alive = f"{machine}-{dead()}-a", f"{machine}-{os.getppid()}-a"
    for name in (gone, alive, "00000000-1-a", "other"):
        (tmp_path / f".x.md.{name}").write_text("part")
        (tmp_path / f"symbolic-mem-{name}").mkdir()
        (tmp_path / f"symbolic-mem-{name}" / "document.tex").write_text("")
    write_whole(tmp_path / "x.md", b"new")
    with scratch_folder():
        pass
    left = {path.name for path in tmp_path.iterdir()}
    kept = {f"{start}{name}" for start in (".x.md.", "symbolic-mem-") for name in (alive, "00000000-1-a", "other")}
    assert left == kept | {"x.md"}


SIGNALS = [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 130)]
WRITING = [
    ("explore", "set-states", "-o", "x.html"),
    ("fragment", "cs336-a2-xxl", "--part", "account", "-o", "x.tex"),
    ("fragment", "cs336-a2-xxl", "--part", "figure", "-o", "x.svg"),
]


@pytest.mark.parametrize(("call", "ended"), [*zip(WRITING, SIGNALS, strict=True)], ids=lambda given: str(given[-1]))
def test_a_signal_while_a_verb_writes_leaves_the_old_file(call, ended, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    path = Path(call[-1])
    path.write_text("old")
    number, status = ended
    monkeypatch.setattr(os, "fsync", lambda _: os.kill(os.getpid(), number))
    assert main([*call]) == status
    assert "no file was left half-written" in capsys.readouterr().err
    assert {each.name: each.read_text() for each in tmp_path.iterdir()} == {path.name: "old"}


@pytest.mark.parametrize("after", sampled([False, True], 2))
def test_a_kill_while_a_verb_writes_leaves_the_old_or_the_new_file(after, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code = (  # killed at the last of the files, of which the others are whole
        "import os, pathlib, signal\nfrom symbolic_mem.cli.main import main\nreal = pathlib.Path.replace\n"
        "def killed(path, place):\n"
        f"    if {after} or place.suffix != '.svg': real(path, place)\n"
        "    if place.suffix == '.svg': os.kill(os.getpid(), signal.SIGKILL)\n"
        f"pathlib.Path.replace = killed\nfor call in {WRITING!r}: main([*call])\n"
    )
    places = [Path(call[-1]) for call in WRITING]
    for path in places:
        path.write_text("old")
    done = subprocess.run([sys.executable, "-c", code], check=False, stderr=subprocess.DEVNULL)
    assert done.returncode == -signal.SIGKILL
    assert [path.read_text() == "old" for path in places] == [False, False, not after]
    assert main([*WRITING[-1]]) == 0
    assert {each.name for each in tmp_path.iterdir()} == {path.name for path in places}


@pytest.mark.parametrize(("number", "status"), SIGNALS)
def test_a_signal_leaves_nothing_behind(number, status, program, tmp_path, monkeypatch):
    scratch, out = tmp_path / "scratch", tmp_path / "out"
    scratch.mkdir()
    out.mkdir()
    (out / "x.pdf").write_text("old")
    program(f"/bin/sleep 300 &\necho $! > {tmp_path}/pids\n/bin/sleep 300")
    monkeypatch.setenv("TMPDIR", str(scratch))
    command = [sys.executable, "-m", "symbolic_mem", "homework", "cs336-a2-buckets", "-o", str(out / "x.pdf")]
    child = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    patience = time.monotonic() + 60
    while (
        not ((tmp_path / "pids").exists() and (tmp_path / "pids").read_text().strip()) and time.monotonic() < patience
    ):
        time.sleep(0.02)
    child.send_signal(number)
    _, said = child.communicate(timeout=60)
    name = "interrupted" if number == signal.SIGINT else f"ended by {number.name}"
    assert (child.returncode, said.strip()) == (status, f"symbolic-mem: {name}; no file was left half-written")
    assert list(scratch.iterdir()) == []
    assert [path.name for path in out.iterdir()] == ["x.pdf"] and (out / "x.pdf").read_text() == "old"


def test_a_signal_while_it_is_looked_whether_a_program_has_ended_is_not_lost(program, tmp_path, monkeypatch):
    program("/bin/sleep 300")
    code = (  # `Popen` looks under a lock: the signal comes when that is taken, before what would give it back
        "import os, signal, sys, threading, symbolic_mem.cli.main as cli\n"
        "class Lock:\n"
        "    sent = []\n"
        "    def __init__(self): self.lock = real()\n"
        "    def acquire(self, *how):\n"
        "        got = self.lock.acquire(*how)\n"
        "        if not self.sent: self.sent.append(os.kill(os.getpid(), signal.SIGTERM))\n"
        "        return got\n"
        "    def release(self): self.lock.release()\n"
        "    __enter__ = acquire\n"
        "    def __exit__(self, *why): self.release()\n"
        "import subprocess\n"
        "real, subprocess.threading = threading.Lock, type('T', (), {'Lock': Lock, **{n: getattr(threading, n) for n in ('Thread', 'RLock')}})\n"
        f"sys.exit(cli.main(['homework', 'cs336-a2-buckets', '-o', {str(tmp_path / 'x.pdf')!r}]))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True, timeout=60)
    assert done.stderr.strip() == "symbolic-mem: ended by SIGTERM; no file was left half-written"
    assert done.returncode == 128 + signal.SIGTERM and not (tmp_path / "x.pdf").exists()


@pytest.mark.parametrize("call", ["os.fsync", "pathlib.Path.chmod", "pathlib.Path.replace"])
@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize(
    "written", ["write_whole(path, b'new')", "with replaced(path) as made: (made / 'whole').write_bytes(b'new')"]
)
def test_a_kill_at_any_moment_leaves_the_old_or_the_new_file(written, call, after, tmp_path):
    path = tmp_path / "x.md"
    path.write_text("old")
    code = (
        "import os, pathlib, signal\nfrom symbolic_mem.render.files import replaced, write_whole\n"
        f"real = {call}\n"
        "def killed(*args):\n"
        f"    if {after}: real(*args)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        f"{call} = killed\npath = pathlib.Path({str(path)!r})\n{written}\n"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False)
    assert done.returncode == -signal.SIGKILL
    assert path.read_text() == ("new" if after and "replace" in call else "old")
    write_whole(path, b"newest")
    assert {each.name: each.read_text() for each in tmp_path.iterdir()} == {"x.md": "newest"}


def test_a_program_that_starts_while_a_signal_comes_is_ended(tmp_path, monkeypatch):
    real = subprocess.Popen

    def interrupted(*args, **options):
        started.append(real(*args, **options))
        os.kill(os.getpid(), signal.SIGINT)
        return started[0]

    started: list[subprocess.Popen] = []
    monkeypatch.setattr(subprocess, "Popen", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run_program(["/bin/sleep", "300"], folder=tmp_path, deadline=time.monotonic() + 60)
    assert started[0].returncode == -signal.SIGKILL
