"""Faces that once parted: what `solve`, `check`, Python and JSON say of one question, and what they refuse alike."""

import json

import pytest
from small import STACK

import symbolic_mem as sm

STUDY = (
    'title = "A small stack"'
    + STACK
    + """[placement]
weights = { over = "n_fsdp" }
gradients = { over = "n_fsdp" }
optimizer = { over = "n_fsdp" }
activations = { over = "n_fsdp" }
[[question]]
label = "q"
"""
)
STATIC_OF_8_LAYERS = 8 * 2 * 512 * 2048 * 16  # two weights a layer, 16 bytes each


@pytest.fixture
def study(tmp_path):
    def write(question):
        path = tmp_path / "study.toml"
        path.write_text(STUDY + question, encoding="utf-8")
        return str(path)

    return write


@pytest.fixture
def said(run):
    def call(*arguments, status=0):
        done = run(*arguments)
        assert done.status == status, done.err
        return done.out if status == 0 else done.err

    return call


def test_every_activation_has_its_source_in_the_json(said):
    terms = json.loads(said("account", "llama-3.1-8b", "--json"))["terms"]
    sources = [term["source"] for term in terms if term["kind"] == "activations"]
    assert sources and all(sources)


def test_a_degree_is_asked_like_the_question_that_is_named_by_solve_and_by_check(said):
    found = json.loads(said("solve", "headroom", "--question", "a", "--for", "n_fsdp", "--json"))
    assert found["device"] == "h100-80gb" and found["reading"] == "reported"
    verdict = json.loads(said("check", "headroom", "--question", "a", "--claim", f"n_fsdp={found['value']}", "--json"))
    assert verdict[0]["right"]


def test_a_claim_under_a_label_sees_the_values_of_that_question(study, said):
    path = study('ask = "min_degree"\nvalues = { L = 8 }\ncapacity = "64 MiB"')
    (verdict,) = json.loads(
        said("check", path, "--question", "q", "--claim", f"static={STATIC_OF_8_LAYERS} B", "--json")
    )
    assert verdict["right"]
    assert "Here L = 8." in said("solve", path) and "Here L = 8." in said("check", path, "--claim", "n_fsdp=7")


def test_a_denied_number_is_said_whole(study, said):
    # 8,388,608 weights in 16 bytes, and 2 bytes of 16 x 256 x 4 x 2,560 activations: 208 MiB in 50.4 MiB
    path = study('ask = "min_degree"\ncapacity = "64 MiB"\nreserved = "8 MiB"\nusable = "0.9"')
    assert json.loads(said("solve", path, "--json"))["value"] == 5
    assert "the number exists, and it is 5." in said("check", path, "--claim", "n_fsdp=none")


def test_the_ledger_holds_whole_rows_and_sequences(study):
    path = study('ask = "min_degree"\ncapacity = "64 MiB"\nwhole_samples = true\npadded_rows = true')
    found = sm.answer(sm.load_study(path), "q")
    assert found["M_device"].value == found.degree.profile.at(found.value)
    other = found.value - 1
    assert found["M_device"].at(n_fsdp=other) == found.degree.profile.at(other) > 64 * 2**20


def test_what_of_the_caller_is_not_used_is_said(study, said):
    path = study('ask = "min_degree"\ncapacity = "64 MiB"')
    given, words = (
        ("--rest", "dropped"),
        "“the rest is dropped” changes nothing here: no kind of memory is divided in part.",
    )
    assert words in said("solve", path, *given)
    assert words in json.loads(said("solve", path, *given, "--json"))["beside"]
    assert words in said("check", path, *given, "--claim", "n_fsdp=4")
    assert words in said("homework", path, *given).replace("\\", "")
    words = "“n_fsdp = 8” is not used here: the question finds or sets n_fsdp itself."
    assert words in said("check", path, "--set", "n_fsdp=8", "--claim", "n_fsdp=4")
    assert words not in said("solve", path, "--set", "n_fsdp=8")  # which says whether 8 is enough


def test_a_key_of_the_question_in_whose_place_the_caller_gives_another_is_said(study, said):
    path = study('ask = "min_degree"\ncapacity = "64 MiB"\nstrict = true\nmultiple_of = 8')
    kept, words = said("solve", path, "--strict"), "The question itself sets “{}”; the caller sets it otherwise"
    assert "The question itself" not in kept + said("solve", path)
    for given, key in (("--at-most",), "strict"), (("--multiple-of", "3"), "a multiple of 8"):
        assert words.format(key) in said("solve", path, *given)
        assert said("solve", path, *given).count("The question itself") == 1


def test_two_capacities_are_refused(study, said):
    path = study('ask = "min_degree"\ncapacity = "64 MiB"')
    assert "give one of them" in said("solve", path, "--device", "h100-80gb", "--capacity", "1 GiB", status=2)
    for other in ('device = "h100-80gb"', 'reading = "binary"'):
        path = study(f'ask = "min_degree"\ncapacity = "64 MiB"\n{other}')
        assert "both say which memory counts" in said("account", path, status=2)


def test_formulas_are_text_also_where_they_are_numbers(said):
    lines = json.loads(said("homework", "llama-3.1-8b", "--json"))["questions"]
    formulas = [entry["formula"] for found in lines for entry in found.get("not_counted", ()) if entry["formula"]]
    assert formulas and all(isinstance(formula, str) for formula in formulas)


@pytest.mark.parametrize(
    ("study", "reading", "given"),
    [
        ("llama-3.1-8b", "reported", ()),
        ("llama-3.1-8b", "marketed", ("--reading", "marketed")),
        ("cs336-a2-xxl", "binary", ()),
        ("llama-3.1-8b", None, ("--capacity", "80 GB")),
    ],
)
def test_account_reads_a_device_as_solve_does(run, study, reading, given):
    device = () if "--capacity" in given else ("--device", "h100-80gb")
    call = (study, "--set", "n_fsdp=8", *device, *given, "--json")
    account, solved = (json.loads(run(verb, *call).out) for verb in ("account", "solve"))
    one = account["per_device"]
    assert (one["reading"], one["capacity_bytes"]) == (solved["reading"], solved["capacity_bytes"])
    assert (one["reading"], one["fits"]) == (reading, solved["fits"])
    said = run("account", *call[:-1]).out
    assert (f" ({reading}) of one device" in said) == (reading is not None)


@pytest.mark.usefixtures("verdicts_alone")
@pytest.mark.parametrize("n", [8, 16])
def test_a_claim_about_one_device_is_held_against_the_degree_that_is_given(run, n):
    device = ("llama-3.1-8b", "--question", "b", "--set", f"n_fsdp={n}")
    solved = json.loads(run("solve", *device, "--json").out)
    claims = [f"peak={solved['peak_bytes']} B", f"peak={solved['peak_bytes'] + 1} B", f"n_fsdp={solved['value']}"]
    given = [word for claim in claims for word in ("--claim", claim)]
    verdicts = json.loads(run("check", *device, *given, "--json").out)
    assert [verdict["right"] for verdict in verdicts] == [True, False, True]
    used, also, other = (" ".join(verdict["assumptions"]) for verdict in verdicts)
    assert used == also == f"One device holds that at n_fsdp = {n}."
    assert "is not used here" in other


def test_instants_under_a_rule_that_cuts_rows_are_those_of_its_answer(run):
    call = ("llama-3.1-8b", "--question", "b", "--set", "n_fsdp=7", "--padded-rows", "--json")
    solved = json.loads(run("solve", *call).out)
    assert max(one["bytes"] for one in solved["instants"]) == solved["peak_bytes"]
    assert not any("row padding" in one["what"] for one in solved["not_counted"])
    plan = ("llama-3.1-8b", "--plan", "fsdp2", *call[3:])
    account = json.loads(run("account", *plan).out)
    assert account["per_device"]["peak_bytes"] == solved["peak_bytes"]
    assert not any("row padding" in one["what"] for one in account["not_counted"])


def test_rows_that_are_divided_take_nothing_and_those_of_experts_are_said_where_they_do_not_fit(run):
    call = ("solve", "qwen3-30b-a3b", "--json")
    fits, padded = (json.loads(run(*call, *more).out) for more in ((), ("--padded-rows",)))
    rows = [one for one in fits["not_counted"] if one["what"].startswith("row padding")]
    assert fits["value"] < padded["value"] and len(rows) == 2
    assert any(said.startswith("Whole rows of tensors") for said in fits.get("cautions", ()))
    assert not any(said.startswith("Whole rows of tensors") for said in padded.get("cautions", ()))
    even = json.loads(run(*call, "--set", "n_fsdp=64").out)
    assert not any(one["what"].startswith("row padding") for one in even["not_counted"])


def test_ranks_of_padded_rows_against_a_walk_over_the_tensors(run):
    d, f, blocks, kv, vocabulary, n = 4096, 14336, 32, 1024, 128256, 37
    block = [(d, 1), (d, 1), (d, d), (kv, d), (kv, d), (d, d), (f, d), (f, d), (d, f)]
    tensors = [*block * blocks, (d, 1), (vocabulary, d), (vocabulary, d)]
    whole = sum(-(-rows // n) * width for rows, width in tensors)
    call = ("llama-3.1-8b", "--plan", "fsdp2", "--set", f"n_fsdp={n}", "--padded-rows", "--json")
    account = json.loads(run("account", *call).out)
    activations = account["activation_bytes"]
    ranks = account["ranks"]
    assert [one["first"] for one in ranks] == [0, *(one["last"] + 1 for one in ranks[:-1])] and ranks[-1]["last"] == 36
    for group in ranks:
        for rank in {group["first"], group["last"]}:
            own = [max(0, min(-(-rows // n), rows - rank * -(-rows // n))) for rows, _ in tensors]
            moments = sum(rows * width for rows, (_, width) in zip(own, tensors, strict=True))
            assert group["total_bytes"] == 8 * whole + 8 * moments + activations
    assert sum((one["last"] - one["first"] + 1) for one in ranks) == n


@pytest.mark.parametrize(
    ("given", "words"),
    [((), "add --set n_fsdp=8"), (("--plan", "dp", "--set", "n_fsdp=8"), "nothing is divided over it here")],
)
def test_padded_rows_without_a_degree_are_refused(run, given, words):
    done = run("account", "llama-3.1-8b", *given, "--padded-rows")
    assert done.status == 2 and words in done.err


def test_a_document_under_a_rule_that_cuts_rows_leaves_no_padding_out(study, said):
    rule = ("", "\npadded_rows = true")
    even, padded = (said("homework", study(f'ask = "min_degree"\ncapacity = "64 MiB"{key}')) for key in rule)
    assert "row padding" not in padded
    path = study('ask = "min_degree"\ndevice = "h100-80gb"\nkinds = ["weights"]\npadded_rows = true')
    assert "row padding" in said("homework", "llama-3.1-405b") and "row padding" not in said("homework", path)
    assert even != padded


def test_a_document_says_what_whole_rows_take_at_its_answers_and_nothing_where_they_come_out(run, said):
    lines = [
        line
        for line in said("homework", "llama-3.1-405b").splitlines()
        if line.startswith("- row padding of what each")
    ]
    shown = [json.loads(run("solve", "llama-3.1-405b", "--question", label, "--json").out) for label in "bc"]
    amounts = [
        next(one["bytes"] for one in found["not_counted"] if "each device keeps" in one["what"]) for found in shown
    ]
    assert len(lines) == 1 and [found["value"] for found in shown] == [1243, 300]
    for found, size in zip(shown, amounts, strict=True):
        assert f"{size / 2**20:.2f}~\\mathrm{{MiB}}$ at $n_{{\\mathrm{{fsdp}}}} = {found['value']}$" in lines[0]
    assert "row padding" not in said("homework", "llama-3.1-8b")  # on 4 and on 8 devices no row is left over


@pytest.mark.parametrize("verb", ["account", "solve"])
def test_whole_rows_are_refused_under_an_engine_that_divides_buffers(run, verb):
    done = run(verb, "cluster-llama-3.1-70b-64-h100", "--padded-rows")
    assert done.status == 2 and "divides its buffers anywhere" in done.err


# Llama 3.1 8B: the rows and the width of each matrix and vector, in a block and outside.
BLOCK = [(4096, 4096)] * 2 + [(1024, 4096)] * 2 + [(14336, 4096)] * 2 + [(4096, 14336), (4096, 1), (4096, 1)]
OUTSIDE = [(128256, 4096), (128256, 4096), (4096, 1)]


@pytest.mark.parametrize("devices", [7, 8, 48])
def test_a_document_about_a_given_number_of_devices_has_its_rows_and_no_bound(said, devices):
    lacking = 32 * sum(-rows % devices * row for rows, row in BLOCK) + sum(
        -rows % devices * row for rows, row in OUTSIDE
    )
    lines = [
        line
        for line in said("homework", "headroom", "--set", f"n_fsdp={devices}").splitlines()
        if "row padding of what each" in line
    ]
    assert len(lines) == bool(lacking)
    assert all(f"{16 * lacking / devices / 2**20:.3f}~\\mathrm{{MiB}}" in line for line in lines)
