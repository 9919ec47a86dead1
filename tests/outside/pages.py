"""What a page of play carries, read as its opener reads it."""

from __future__ import annotations

import json
import random
import re
import zlib
from collections.abc import Iterator
from typing import Any

from symbolic_mem.explore.choices import places

HUGE = (1, 2, 3, 10**12, 10**20 + 7)


def carried(page: str) -> tuple[dict[str, Any], str]:
    """What a page holds, and its script."""
    packed = re.search(r'id="packed">(.*?)</script>', page)
    assert packed is not None
    content, script = zlib.decompress(b"".join(bytes_of(packed[1]))).decode().split("\n", 1)
    return json.loads(content), script


def bytes_of(signs: str) -> Iterator[bytes]:
    """The bytes that signs stand for: each eleven are the digits of nine, the last first."""
    for at in range(0, len(signs), 11):
        some = signs[at : at + 11]
        number = sum((ord(sign) - (33 if sign > "<" else 32)) * 94**place for place, sign in enumerate(some))
        yield number.to_bytes(len(some) * 9 // 11)


def held_by(path):
    """What a page holds, as its script reads it."""
    return carried(path.read_text(encoding="utf-8"))[0]


def settings(content, count, seed):
    """Settings drawn at random: near the study, far from it, and absurd."""
    draw = random.Random(seed)
    counts, devices = [len(options) for *_, options in content["choices"]], content["devices"]
    made = dict(zip(places(counts), content["made"], strict=True))
    for _ in range(count):
        device = draw.choice(devices)
        values = {}
        for name, own in (one for one in content["symbols"] if one not in content["held"]):
            near = [int(own)] * 5 + [max(1, int(own) // draw.choice((2, 4, 8))), int(own) * draw.choice((2, 3, 16))]
            values[name] = str(draw.choice([*near, draw.randint(1, 4 * int(own)), draw.choice(HUGE)]))
        chosen = list(draw.choice(list(made)))
        reading = draw.choice(list(device["readings"]))
        setting = {"values": values, "device": device["name"], "reading": reading, "chosen": chosen}
        alone = made[tuple(chosen)]
        given = [3, 8, 64, 10**6] if isinstance(alone, str) else [1, 1, 3, 64]
        yield setting | draw.choice([{}, {"shows": str(draw.choice(given))}])


def changed(study, content, setting):
    """The study at a setting of its page."""
    picked = zip(content["choices"], setting["chosen"], strict=True)
    told = [(option[2:], options[place][0]) for (_, _, option, options), place in picked if place]
    place = dict(value.split("=") for option, value in told if option == "place")
    given = {option: value for option, value in told if option != "place"}
    values = {name: int(value) for name, value in setting["values"].items()}
    values |= {content["n"]: int(setting["shows"])} if "shows" in setting else {}
    return study.change(values=values, place=place, device=setting["device"], reading=setting["reading"], **given)
