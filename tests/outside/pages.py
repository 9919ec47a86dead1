"""What a page of play carries, read as its opener reads it."""

from __future__ import annotations

import json
import re
import zlib
from base64 import b85decode
from typing import Any


def carried(page: str) -> tuple[dict[str, Any], str]:
    """What a page holds, and its script."""
    packed = re.search(r'id="packed">(.*?)</script>', page)
    assert packed is not None
    content, script = (
        zlib.decompress(b85decode(packed[1].translate(str.maketrans(",.:", "<>&")))).decode().split("\n", 1)
    )
    return json.loads(content), script
