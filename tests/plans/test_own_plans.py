"""Plans of a caller's own: in a file, and in ``[plan]`` of a study."""

from dataclasses import replace

import pytest

from symbolic_mem import answer, load_study
from symbolic_mem.base.errors import BadInput
from symbolic_mem.plans.read import plan, plans, read_plan, read_plans

SAID = """
title = "ours"
source = "our trainer"
"""


@pytest.fixture
def written(tmp_path):
    """Write a file of plans."""

    def write(text: str) -> str:
        path = tmp_path / "plans.toml"
        path.write_text(text)
        return str(path)

    return write


def test_a_plan_written_anew_is_the_bundled_one(written):
    own = read_plans(written(f'[mine]{SAID}divided = ["gradients", "optimizer"]\nsends = "dp"'))["mine"]
    assert replace(own, name="zero-2", title=plans()["zero-2"].title, source=plans()["zero-2"].source) == plan("zero-2")


def test_a_product_joins_bundled_plans_and_those_above_it(written):
    path = written(f'[wide]{SAID}cuts = {{ inner = "n_tp" }}\n[both]{SAID}product = ["fsdp2", "wide"]')
    both = plan("both", read_plans(path))
    assert both.divided == plan("fsdp2").divided and both.axes == plan("torch-tp").axes


def test_it_answers_as_the_bundled_plan_does(written):
    path = written(f'[mine]{SAID}divided = ["optimizer"]\nsends = "dp"')
    study = load_study("llama-3.1-8b").change(recompute="full")
    own, bundled = (
        answer(study.change(**given), study.questions[0].label).record
        for given in ({"plan": "mine", "plans": path}, {"plan": "zero-1"})
    )
    assert own["value"] == bundled["value"] is not None
    assert own["per_device_bytes"] == bundled["per_device_bytes"]


def test_a_study_may_say_a_plan_itself():
    own = read_plan({"title": "ours", "source": "us", "divided": ["optimizer"], "sends": "dp"}, "my.toml [plan]")
    assert own.shares == plan("zero-1").shares
    assert (
        read_plan({**_row(), "reshards": True, "reshard": 4}, "my.toml [plan]").keep
        == plan("fsdp2").resharding(4, "").keep
    )


def _row() -> dict[str, object]:
    return {"title": "ours", "source": "us", "divided": ["weights", "gradients", "optimizer"], "sends": "fsdp"}


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("divided = ['weight']", "'weight' is no kind of memory that a plan divides; did you mean 'weights'?"),
        ("divided = ['activations']", "'activations' is no kind of memory that a plan divides"),
        ("divided = 'weights'", "divided must be a list"),
        ("divided = [1]", "divided is a list of names, and '1' is none"),
        ("sends = 'all'", "'all' is no scheme"),
        ("cuts = { head = 'n_tp' }", "'head' is no dimension; did you mean 'heads'?"),
        ("cuts = { heads = 'n_fsdp' }", "heads is divided over n_fsdp; give axes of n_tp"),
        ("cuts = { heads = '8' }", "heads is divided over 8; give axes of n_tp"),
        ("cuts = { heads = 'n_q' }", "n_q"),
        ("cuts = { layers = 'n_pp' }", "has a schedule"),
        ("schedule = '1f1b'", "has a schedule"),
        ("cuts = { layers = 'n_pp' }\nschedule = '2f2b'", "2f2b"),
        ("rests = { inner = 'dropped' }", "'dropped' is no way with a rest"),
        ("padded = 0", "padded = 0; give the rows"),
        ("groups = { all = 'n_fsdp' }", "'all' is no group of parameters"),
        ("engine = 'te'", "unknown engine 'te'"),
        ("reshards = 1", "reshards must be true or false"),
        ("reshard = true", "unknown key 'reshard'; did you mean 'reshards'?"),
        ("product = ['fsdp3']", "unknown plan 'fsdp3'; did you mean 'fsdp2'?"),
        ("product = []", "it joins no plan"),
        ("product = ['fsdp2', 'zero-3']", "both say"),
    ],
)
def test_a_fault_is_one_line_that_names_its_place(written, row, words):
    path = written(f"[mine]{SAID}{row}")
    with pytest.raises(BadInput) as caught:
        read_plans(path)
    assert str(caught.value).startswith(f"{path} [mine]") and words in str(caught.value)


def test_a_plan_without_words_and_a_name_with_a_plus_are_refused(written):
    for text, words in (("[mine]", "title is missing"), (f'["a+b"]{SAID}', "+ joins the names of two plans")):
        with pytest.raises(BadInput, match=words.replace("+", r"\+")):
            read_plans(written(text))


def test_a_file_of_which_nothing_is_asked_is_refused(written):
    with pytest.raises(BadInput, match="none of them is asked for"):
        load_study("llama-3.1-8b").change(plans=written(f"[mine]{SAID}"))
