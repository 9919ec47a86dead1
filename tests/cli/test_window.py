"""What stands on a terminal fits its window, and what goes elsewhere does not depend on one."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from sampled import sampled

from symbolic_mem.cli import tables
from symbolic_mem.verify import verify

CALLS = [
    ("account", "llama-3.1-8b", "--set", "n_fsdp=8", "--device", "h100-80gb"),
    ("account", "deepseek-v3"),
    ("solve", "llama-3.1-8b", "--set", "n_fsdp=8"),
    ("solve", "deepseek-v3", "--for", "B", "--set", "n_fsdp=256"),
    ("compare", "llama-3.1-8b", "--recipe", "megatron-18"),
    ("comms", "cs336-a2-xxl"),
    ("check", "cs336-a2-xxl", "--claim", "n_fsdp=38"),
    ("list",),
    ("list", "plans"),
    ("list", "caches"),
    ("list", "profiles"),
    ("list", "symbols"),
    ("fit", "llama-3.1-8b", "--on", "2x h100-80gb"),
    ("fit", "cluster-llama-3.1-70b-64-h100", "--plans", "8"),
    ("sweep", "llama-3.1-8b", "--vary", "B=1,2,4", "--vary", "device=h100-80gb,a100-80gb", "--instants", "--top", "5"),
    ("solve", "llama-3.1-8b", "--offload", "optimizer", "--host", "512 GiB", "--per-host", "8"),
    ("check", "llama-3.1-8b", "--claim", "static=120 GB", "--claim", "n_fsdp=9"),
    ("verify", "llama-3.1-8b"),
]


@pytest.fixture
def no_engine(monkeypatch):
    """Let `verify` measure nothing, and print its table."""
    monkeypatch.setattr(verify, "measure", lambda run: dict.fromkeys(verify.MARKS, run.batch))
    monkeypatch.setattr(verify, "engine", lambda run: "no engine, on fake tensors")


@pytest.mark.parametrize("call", sampled([pytest.param(call, id=" ".join(call)) for call in CALLS], 6))
@pytest.mark.usefixtures("no_engine")
def test_no_line_is_wider_than_the_window(run, monkeypatch, call):
    whole = run(*call).out
    for width in (60, 80, 120, 200):
        monkeypatch.setattr(tables, "window", lambda width=width: width)
        done = run(*call)
        assert done.status == 0
        assert max(map(tables._width, done.out.splitlines())) <= width
        # nothing is lost: the same signs, wherever the lines end
        signs = sorted("".join(done.out.split()).replace("─", ""))
        assert len(signs) >= len("".join(whole.split()).replace("─", ""))


def test_the_rows_of_a_narrow_table_keep_their_cells(capsys, monkeypatch):
    monkeypatch.setattr(tables, "window", lambda: 40)
    heads = ("term", "bytes", "formula")
    tables.print_table(heads, [("weights of a layer", "1,000,000", "2 d_model d_ff + 4 d_model n_heads")], right=(1,))
    assert capsys.readouterr().out.splitlines() == [
        "term                    bytes",
        "──────────────────  ─────────",
        "weights of a layer  1,000,000",
        "    formula: 2 d_model d_ff + 4 d_model",
        "             n_heads",
    ]


def on_a_terminal(width: int, *call: str, **environment: str) -> str:
    """Run the command line under a pseudo-terminal of that width and return all that it prints."""
    pty = pytest.importorskip("pty")
    parent, child = pty.openpty()
    import fcntl
    import struct
    import termios

    fcntl.ioctl(child, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))
    kept = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES", "NO_COLOR")}
    process = subprocess.Popen(
        [sys.executable, "-m", "symbolic_mem", *call], stdout=child, stdin=child, env={**kept, **environment}
    )
    os.close(child)
    said = b""
    while True:
        try:
            part = os.read(parent, 65536)
        except OSError:
            break
        if not part:
            break
        said += part
    os.close(parent)
    assert process.wait(60) == 0
    return said.decode()


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals")
def test_a_real_terminal():
    call = ("account", "llama-3.1-8b")
    said = on_a_terminal(72, *call)
    plain = said.replace("\x1b[1m", "").replace("\x1b[0m", "")
    assert "\x1b[1m" in said and max(map(len, plain.splitlines())) <= 72
    assert "\x1b" not in on_a_terminal(72, *call, NO_COLOR="1")


def test_a_pipe_does_not_depend_on_the_window():
    said = [
        subprocess.run(
            [sys.executable, "-m", "symbolic_mem", "account", "cs336-a2-xxl"],
            check=True,
            capture_output=True,
            env={**os.environ, "COLUMNS": columns},
        ).stdout
        for columns in ("60", "200")
    ]
    assert said[0] == said[1]
