"""The control tokens of a GGUF file: the words that steer a model, such as ``<|im_end|>``.

llama.cpp reads them out of any text of a chat, so a document that spells one could close the message that quotes it and
open another. Whoever sends text to such a model must know them. Reads the file's header only, nothing of the tensors.

Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

from __future__ import annotations

import mmap
import struct
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from automix_graph.errors import ModelFileError

_TOKENS: Final = "tokenizer.ggml.tokens"
_TYPES: Final = "tokenizer.ggml.token_type"
_CONTROL_TYPES: Final = frozenset({2, 3})  # unknown, control
_HEADER: Final = "<4sIQQ"  # magic, version, tensors, pairs
_STRING: Final = 8
_ARRAY: Final = 9
_SCALARS: Final = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}


@lru_cache(maxsize=16)
def control_tokens(path: Path) -> frozenset[str]:
    """Return the control tokens of the model in a GGUF file.

    Raises:
        ModelFileError: this is no GGUF file, or a cut one.
    """
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            found = _read_vocabulary(_Reader(data=data))
    except (OSError, ValueError, KeyError, struct.error) as error:
        raise ModelFileError(f"{path} is no complete GGUF file: {error}", name=path.name, code="model-load") from error
    tokens, types = found.get(_TOKENS, []), found.get(_TYPES, [])
    return frozenset(
        token.decode("utf-8", "replace")
        for token, kind in zip(tokens, types, strict=False)
        if kind in _CONTROL_TYPES and len(token) > 1
    )


@dataclass(kw_only=True)
class _Reader:
    data: mmap.mmap
    position: int = 0

    def scalar(self, code: str, count: int = 1) -> tuple[Any, ...]:
        layout = f"<{count}{code}"
        values = struct.unpack_from(layout, self.data, self.position)
        self.position += struct.calcsize(layout)
        return values

    def string(self) -> bytes:
        (length,) = self.scalar("Q")
        text = self.data[self.position : self.position + length]
        if len(text) != length:
            raise ValueError("it ends within a string")
        self.position += length
        return text

    def value(self, kind: int) -> Any:
        if kind == _STRING:
            return self.string()
        if kind != _ARRAY:
            return self.scalar(_SCALARS[kind])[0]
        (item_kind,) = self.scalar("I")
        (count,) = self.scalar("Q")
        if item_kind in _SCALARS:
            return self.scalar(_SCALARS[item_kind], count)
        return [self.value(item_kind) for _ in range(count)]


def _read_vocabulary(reader: _Reader) -> dict[str, Any]:
    magic, version, _, pairs = struct.unpack_from(_HEADER, reader.data)
    reader.position = struct.calcsize(_HEADER)
    if magic != b"GGUF" or version not in (2, 3):
        raise ValueError("it does not start like one of version 2 or 3")
    found: dict[str, Any] = {}
    for _ in range(pairs):
        key = reader.string().decode("utf-8", "replace")
        (kind,) = reader.scalar("I")
        value = reader.value(kind)
        if key in (_TOKENS, _TYPES):
            found[key] = value
        if len(found) == 2:
            break
    return found
