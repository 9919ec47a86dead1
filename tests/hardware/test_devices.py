import pytest

from symbolic_mem.base.errors import BadInput
from symbolic_mem.hardware.catalogue import device
from symbolic_mem.hardware.devices import Device


def test_a_reading_that_is_not_known_names_those_that_are():
    with pytest.raises(BadInput, match=r"^b300 has no binary capacity in the catalogue; known: marketed, reported$"):
        device("b300").capacity("binary")
    with pytest.raises(BadInput, match=r"trainium2 has no reported capacity .*known: marketed, binary$"):
        device("trainium2").capacity("reported")
    with pytest.raises(BadInput, match="no reading is known; give the capacity itself"):
        Device("x", "X", "unstated").capacity("marketed")


def test_an_unknown_reading_is_refused():
    with pytest.raises(BadInput, match=r"unknown reading 'markted' .*did you mean 'marketed'\?"):
        device("b300").capacity("markted")


def test_a_figure_that_is_not_known_is_refused():
    with pytest.raises(BadInput, match=r"v100-32gb has no dense BF16 FLOP/s in the catalogue"):
        device("v100-32gb").figure("flops_bf16")
    with pytest.raises(BadInput, match=r"x has no memory bandwidth in the catalogue"):
        Device("x", "X", "unstated").figure("memory_bandwidth")
    with pytest.raises(BadInput, match=r"unknown figure 'title' of b300; .*known: flops_bf16, memory_bandwidth"):
        device("b300").figure("title")


@pytest.mark.parametrize(
    ("name", "asked", "message"),
    [
        ("trainium2", {"direction": "one-way"}, "known: NeuronLink-v3 per chip unstated"),
        ("tpu-v6e", {"name": "ICI", "direction": "one-way", "scope": "per chip"}, "ICI per chip both-ways, ICI per"),
        ("tpu-v5p", {"name": "ICI", "direction": "one-way"}, "several bandwidths 'ICI one-way'; say which"),
        ("tpu-v5p", {"name": "NVLink", "direction": "one-way"}, "no bandwidth 'NVLink one-way'"),
        ("rtx-4090", {"direction": "one-way"}, "rtx-4090 has no interconnect in the catalogue"),
        ("tpu-v5p", {"direction": "both"}, r"unknown direction 'both'; did you mean 'both-ways'\?"),
        ("tpu-v5p", {"direction": "one-way", "scope": "chip"}, r"unknown scope 'chip'; did you mean 'per chip'\?"),
    ],
)
def test_a_bandwidth_is_never_guessed(name, asked, message):
    with pytest.raises(BadInput, match=message):
        device(name).link(**asked)


def test_one_matching_bandwidth_is_found_without_its_name():
    link = device("mi300x").link(direction="one-way", scope="per link")
    assert (link.name, link.bytes_per_second) == ("xGMI", 64_000_000_000)
    assert str(link) == "xGMI per link one-way"


def test_evidence_is_kept_per_group_of_facts():
    h100 = device("h100-80gb")
    assert h100.evidence_for("reported").confidence == "log"
    assert h100.evidence_for("bandwidth").confidence == "quoted"
    assert device("tpu-v5p").evidence_for("capacity").confidence == "vendor"
    with pytest.raises(BadInput, match=r"h100-80gb has no facts about 'colour'"):
        h100.evidence_for("colour")


def test_a_device_without_facts_is_undated_and_to_be_checked():
    bare = Device("x", "X", "unstated")
    assert (bare.source, bare.date, bare.confidence) == ("", "undated", "memory")
