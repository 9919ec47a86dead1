"""Counts of bytes that are not whole, in every face."""

from __future__ import annotations

import json

import sympy as sp

from symbolic_mem.base.exact import evaluate
from symbolic_mem.library.read import load_study


def test_bytes_that_are_not_whole_are_shown_everywhere(tmp_path, run):
    # one token more or less than a multiple of 32 leaves a fraction of a byte
    path = tmp_path / "s.toml"
    path.write_text(
        'title = "t"\n[model]\nkind = "ffn"\n[values]\nL = 1\nd_model = 3\nd_ff = 5\nB = 1\nS = 7\n'
        '[recipe]\npreset = "fp8"\n[placement]\nactivations = { over = "n_fsdp" }\n'
        '[[question]]\nask = "min_degree"\nfor = "n_fsdp"\ncapacity = "1 kB"\n'
    )
    study = load_study(str(path))
    exact = evaluate(study.memory.of("activations").total, study.values)
    assert exact == sp.Rational(33, 32) * 7 * (3 + 5)
    done = run("account", str(path))
    assert done.status == 0 and "57.75" in done.out, done
    for verb in ("solve", "homework", "report"):
        extra = ("-o", str(tmp_path / f"{verb}.md")) if verb != "solve" else ()
        assert run(verb, str(path), *extra).status == 0
    assert json.loads(run("account", str(path), "--json").out)
    assert run("compare", str(path), "--recipe", "pure-bf16").status == 0
    assert run("check", str(path), "--claim", "n_fsdp=1").status == 0
