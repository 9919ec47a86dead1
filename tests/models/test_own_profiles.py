"""Engine profiles of a caller's own, in a file."""

import pytest

from symbolic_mem import load_study
from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.symbols import B, S, d_model
from symbolic_mem.models.own_profiles import profile_of, read_profiles
from symbolic_mem.models.profile import profile

SAID = """
title = "ours"
source = "our kernel"
"""
EXTENDS = f'{SAID}extends = "hf-cuda-bf16"\n'


@pytest.fixture
def written(tmp_path):
    """Write a file of profiles."""

    def write(text: str) -> str:
        path = tmp_path / "profiles.toml"
        path.write_text(text)
        return str(path)

    return write


def test_rows_that_are_given_take_the_place_of_those_that_are_extended(written):
    own = profile_of("mine", written(f'[mine]{EXTENDS}[mine.keeps]\nrmsnorm = {{ input = "input", rstd = 4 }}'))
    base = profile("hf-cuda-bf16")
    assert set(base.row("rmsnorm")) - set(own.row("rmsnorm")) == {"normalised"}
    assert own.row("linear") == base.row("linear") and own.engine == base.engine


def test_families_by_head_keep_what_flash_attention_gives_beside_its_copy(written):
    own = profile_of("mine", written(f'[mine]{EXTENDS}by_head = ["llama"]'))
    for kernel in ("attention flash", "attention flash_gqa"):
        row, base = (list(how.for_family("llama").row(kernel)) for how in (own, profile("hf-cuda-bf16")))
        assert row == [*base[: base.index("out")], "out_by_head", *base[base.index("out") :]]
        assert own.for_family("mistral").row(kernel) == profile("hf-cuda-bf16").for_family("mistral").row(kernel)


def test_the_account_loses_just_the_tensor_that_is_not_kept(written):
    path = written(f"[mine]{EXTENDS}[mine.keeps]\nrmsnorm = {{ input = 4, rstd = 4 }}")
    study = load_study("llama-3.1-8b")
    own, base = (
        study.change(profile="mine", profiles=path).memory.total,
        study.change(profile="hf-cuda-bf16").memory.total,
    )
    norms = 2 * study.values[next(symbol for symbol in study.values if str(symbol) == "L")] + 1
    each = (2 * B * S * d_model).xreplace(study.values)
    assert (base - own).xreplace(study.values) == norms * each


def test_a_profile_extends_one_above_it(written):
    path = written(f'[one]{EXTENDS}kernel = "eager"\n[two]{SAID}extends = "one"')
    assert read_profiles(path)["two"].kernel == "eager"


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ("speed = 2", "unknown key 'speed'"),
        ("measured = ['lama']", "unknown family 'lama'"),
        ("by_head = ['lama']", "by_head: unknown family 'lama'; did you mean 'llama'?"),
        ("compute = 0", "'0' is no number of bytes of an element"),
        ("compute = true", "compute must be a whole number"),
        ("precision = 'BF16'", "unknown precision 'BF16'"),
        ("loss_gradients = 'all'", "unknown size 'all'"),
        ("without = [1]", "a list of names"),
        ("assumptions = [1]", "an assumption is a text"),
        ("keeps = { rmsnrm = { input = 2 } }", "unknown operation 'rmsnrm'; did you mean 'rmsnorm'?"),
        ("keeps = { rmsnorm = { imput = 2 } }", "rmsnorm has no tensor 'imput'; did you mean 'input'?"),
        ("keeps = { rmsnorm = { input = 'half' } }", "unknown size 'half'"),
        ("keeps = { rmsnorm = { input = -2 } }", "'-2' is no number of bytes"),
        ("keeps = { rmsnorm = 2 }", "rmsnorm must be a table"),
        ("keeps = { attention = { flash = { qq = 2 } } }", "has no tensor 'qq'"),
        ("families = { llama = { rmsnorm = { gain = 1.5 } } }", "'1.5' is no number of bytes"),
    ],
)
def test_a_fault_is_one_line_that_names_its_place(written, rows, words):
    path = written(f"[mine]{EXTENDS}{rows}")
    with pytest.raises(BadInput) as caught:
        read_profiles(path)
    assert str(caught.value).startswith(f"{path} [mine]") and words in str(caught.value)


def test_a_profile_says_who_says_so_and_what_it_extends(written):
    for text, words in (("[mine]", "title is missing"), (f"[mine]{SAID}", "extends no other says its kernel")):
        with pytest.raises(BadInput, match=words):
            read_profiles(written(text))
    with pytest.raises(BadInput, match="unknown profile 'hf'; did you mean 'hf-cuda"):
        read_profiles(written(f'[mine]{SAID}extends = "hf"'))


def test_a_shape_that_an_operation_has_not_is_refused_where_it_is_built(written):
    path = written(f'[mine]{EXTENDS}[mine.keeps]\nrmsnorm = {{ rstd = {{ bytes = 4, shape = "columns" }} }}')
    with pytest.raises(BadInput, match="profile 'mine': rmsnorm has no shape 'columns' of rstd"):
        load_study("llama-3.1-8b").change(profile="mine", profiles=path)
