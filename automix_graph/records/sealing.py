"""JSON values as one opaque word, which hides them from whoever looks at state by accident. No encryption.

MessagePack in Base64, or JSON in Base64 where MessagePack cannot hold a value.
"""

from __future__ import annotations

import binascii
import json
from collections.abc import Mapping
from typing import Any

import ormsgpack


def sealed(data: Mapping[str, Any]) -> str:
    """Return an object as a word of ASCII, without a point.

    Example:
        >>> word = sealed({"draft": "In May"})
        >>> "May" in word, unsealed(word)
        (False, {'draft': 'In May'})
    """
    try:
        packed = ormsgpack.packb(data)
    except TypeError:  # a lone surrogate, or an integer of more than 64 bits
        packed = json.dumps(data).encode("ascii")
    return binascii.b2a_base64(packed, newline=False).decode("ascii")


def unsealed(word: str) -> Any:
    """Return what `sealed` was given.

    Raises:
        ValueError: the word is not from there.
    """
    packed = binascii.a2b_base64(word)
    return json.loads(packed) if packed.startswith(b"{") else ormsgpack.unpackb(packed)
