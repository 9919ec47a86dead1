"""Claims as people leave them: products with the words of their units, chains, rows of tables, units of time; or a refusal that says how."""

import json
from fractions import Fraction

import pytest

from symbolic_mem.base.errors import BadInput
from symbolic_mem.claims.check import check
from symbolic_mem.claims.read import parted
from symbolic_mem.claims.verdicts import verdict_words
from symbolic_mem.cli.main import main
from symbolic_mem.library.read import load_study
from symbolic_mem.questions.parts.peaks import peak_bytes
from symbolic_mem.render.text import plain_prose

# A study, a question or none, and claims that are right there, each by itself: 3276 GiB of states, 16 bytes for a parameter.
RIGHT = [
    ("cs336-a2-xxl", "", "static = 16 bytes/param * P¦static = 16 bytes per parameter × P¦static = 16 Bytes * P¦weights = 4 B/param * P"),
    ("cs336-a2-xxl", "", "static = 16 B/param × 219.848638464e9 params¦weights = 219,848,638,464 params * 4 bytes/param"),
    ("cs336-a2-xxl", "", "weights = 219.848638464B params × 4 bytes¦optimizer = (4+4) bytes/parameter × P¦static = P × 16 bytes per param"),
    ("cs336-a2-xxl", "", "activations = 2 bytes/elem * B*S*L*(d_model+d_ff)¦activations = B S L (d_model + d_ff) elements × 2 bytes/element"),
    ("cs336-a2-xxl", "", "bytes_per_parameter = 16 bytes/param¦bytes_per_parameter=16 B/param¦16 bytes/param¦16 bytes per parameter"),
    ("cs336-a2-xxl", "b", "n_fsdp = ceil(45.76) = 46¦n_fsdp = 45.76 → 46¦n_fsdp = 45.76 -> 46¦n_fsdp ≈ 45.76, so 46¦n_fsdp = 45.76 ≈ 46"),
    ("cs336-a2-xxl", "b", "46 x TPU v5p¦46 TPUs (v5p)¦\\boxed{46}¦Answer: 46 devices¦answer = 46¦b) 46¦so n_fsdp = 46¦Therefore, n_fsdp = 46"),
    ("cs336-a2-xxl", "b", "=> n_fsdp = 46¦∴ n_fsdp = 46¦n_fsdp = 46 ✓¦n_fsdp = 46 (rounded up from 45.76)¦\"n_fsdp\",\"46\"¦n_fsdp,46¦n_fsdp\t46"),
    ("cs336-a2-xxl", "", "static = 3276 GiB = 3.2 TiB¦total = 3276 GiB + 2142 GiB = 5418 GiB¦static: 3276 GiB (3.52 TB)¦static = 3.52 TB (3276 GiB)"),
    ("cs336-a2-xxl", "", "| static | 3276 GiB |¦| weights | 819 GiB¦static & 3276 GiB \\\\¦$M_\\text{static}$ & $3276$ GiB \\\\¦static;3276 GiB"),
    ("cs336-a2-xxl", "", "**static**: 3276 GiB¦`static` = `3276 GiB`¦static = **3276 GiB**¦- static: 3276 GiB¦\\boxed{n_{fsdp} = 46}¦static, 3276 GiB"),
    ("cs336-a2-xxl", "", "Static memory: 3276 GiB¦model weights: 819 GiB¦gradient memory = 819 GiB¦total memory = 5418 GiB¦activations memory & 2142~GiB \\\\ \\hline"),
    ("cs336-a1-adamw", "d", "t_days = 158006 hours¦t_days = 158,006 h¦t_days = 5.69e8 s¦940.5 weeks¦6583.6 days"),
    ("cs336-a1-transformer", "b", "4.51 TFLOPs¦4.51 teraFLOPs¦4.51e12 floating point operations¦4.51e12 ops¦4513 GFLOP¦4.51 trillion FLOPs"),
    ("cs336-a1-transformer", "", "#params = 2.13B¦# of parameters = 2.13B¦param count = 2.13 billion¦number of parameters: 2.13B"),
    ("llama-3.1-8b", "", "static = 8.03e9 × 16 B = 128.5 GB¦weights = 4 bytes × 8.03B params¦static = 128.5 GB (119.7 GiB)"),
    ("cs336-a2-xxl", "", "static=3.5T bytes¦total = 5.8T bytes¦weights=879B bytes¦static = 3.5 trillion bytes¦static = 16 P bytes¦static=16P bytes"),
    ("cs336-a2-xxl", "", "static = 3.52 TBytes¦static = 3.2 TiBytes¦static = 3518 Gbyte¦M_device = (3276 GiB + 1071 GiB)/46"),
    ("cs336-a2-xxl", "c", "T_min = 20445¦T_min = 20,444.4¦T_min_per_chip = 320"),
    ("cs336-a1-transformer", "b", "share_mlp=0.6691¦share_mlp = 66.91 %¦share_mlp = 66.91 percent¦share_mlp = 66.91 per cent¦share_mlp = 66.91¦share_mlp = F_mlp/F_forward¦share_mlp = 100 F_mlp/F_forward"),
    ("utilisation", "DeepSeek-V3", "u_model=0.2162¦u_model = 21.62 %"),
    ("llama-3.1-8b", "b", "4x H100¦4xH100¦M_device = 79.3 GiB / GPU"),
]  # fmt: skip
WRONG = [
    ("cs336-a2-xxl", "bytes_per_parameter = 18 bytes/param¦18 bytes per param¦weights = 2 B/param x 220e9¦static = 3276 GiB = 3.276 TB"),
    ("cs336-a2-xxl", "static = 3.6T bytes¦static = 17 P bytes¦n_fsdp = (3276 GiB + 1071 GiB)/95 GiB¦T_min = 20446¦n_fsdp = 1e400"),
    ("cs336-a2-xxl", "static = 12 bytes/param × P¦n_fsdp = 45.76 → 45¦| static | 3276 GB |¦weights = 219.8B params × 2 bytes"),
]  # fmt: skip
REFUSED = [
    ("static = 16 bytes per parameter", "is for one parameter, and static is bytes of .*: write static=16 bytes per parameter × P"),
    ("static = 12*P = 3276 GiB", "says several things: check each by itself, static=12.P and static=3276 GiB"),
    ("static = 3200-3300 GiB", "is a range; claim one number"),
    ("n_fsdp = 40 to 50", "is a range; claim one number"),
    ("static = 3276 GiB (3.276 TB)", "3276 GiB and 3.276 TB are two amounts; claim one of them"),
    ("static = 3276 Gib", "does not say which unit: write 3276 GB .* or 3276 GiB"),
    ("weights = 219.8B × 4 bytes", "B after a number is bytes here"),
    ("| static | 16 P | 3276 GiB |", "is not NAME=VALUE"),
]  # fmt: skip


def each(rows):
    return [(*row[:-1], claim) for row in rows for claim in row[-1].split("¦")]


@pytest.mark.parametrize(("study", "question", "claim"), each(RIGHT))
def test_what_people_write_is_read(study, question, claim):
    assert check(load_study(study), claim, question=question or None).right


def test_a_share_that_is_wrong_is_off_by_as_much_however_it_is_written():
    study = load_study("cs336-a1-transformer")
    whole, share = (check(study, f"share_mlp = {said}", question="b") for said in ("50 %", "0.5"))
    assert (
        (whole.right, whole.value, whole.ratio) == (share.right, share.value, share.ratio) == (False, 50, whole.ratio)
    )


def test_one_figure_is_too_few_only_where_one_is_shown():
    study = load_study("cs336-a2-xxl")
    one, two = (plain_prose(verdict_words(check(study, f"static = {said}"))) for said in ("3 TiB", "3.0 TiB"))
    assert "One figure is too few" in one
    assert "One figure is too few" not in two


@pytest.mark.parametrize(("study", "claim"), each(WRONG))
def test_what_is_wrong_is_wrong_however_it_is_written(study, claim):
    assert not check(load_study(study), claim).right


@pytest.mark.parametrize(("claim", "message"), REFUSED)
def test_what_says_two_things_is_refused_and_says_how_to_write_it(claim, message):
    with pytest.raises(BadInput, match=message):
        check(load_study("cs336-a2-xxl"), claim)


def test_a_formula_and_the_number_that_it_comes_to_are_two_claims(capsys):
    text = "static = 12 P = 3276 GiB"
    assert parted(text) == ("static=12 P", "static=3276 GiB")
    assert main(["check", "cs336-a2-xxl", "--claim", text, "--json"]) == 0
    assert [one["right"] for one in json.loads(capsys.readouterr().out)] == [False, True]


@pytest.mark.usefixtures("verdicts_alone")
def test_bytes_that_are_not_whole_are_right_rounded_and_rounded_up():
    study = load_study("mixtral-8x7b").change(plan="fsdp2", values={"n_fsdp": 13})
    exact = peak_bytes(study)
    assert exact.denominator != 1
    claims = [f"peak = {int(exact) + more} bytes" for more in (-1, 0, 1, 2)]
    found = [check(study, claim).right for claim in claims]
    assert found == [False, exact - int(exact) <= Fraction(1, 2), True, False]
