"""Which encoding a text file is in: UTF-8, UTF-16 with a byte order mark, or GB18030 (Chinese files of older tools)."""

from __future__ import annotations

import codecs
from pathlib import Path
from typing import Final

_BLOCK: Final = 1 << 20
_MARKS: Final = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))

_FREQUENT: Final = frozenset(
    "的一是不了在人有我他这个们中来上大为和国地到以说时要就出会可也你对生能而子那得于着下自之年"
)
_MIN_FREQUENT: Final = 0.03
"""Least share of the most frequent Chinese characters among those that are not ASCII.

Japanese, Korean and Big5 files decode as GB18030 too, into characters at random, of which about 1 % are frequent ones;
in 459 paragraphs of Chinese the share is 4.6 % or more, and 19 % in the middle.
"""


def detect_encoding(path: Path) -> str | None:
    """Return the Python name of a text file's encoding, or None where it is binary or in another encoding.

    The whole file is decoded once, in constant memory, so that reading it later cannot fail half way.
    """
    with path.open("rb") as file:
        head = file.read(4)
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return encoding if _decodes(path, encoding) else None
    return next((encoding for encoding in ("utf-8", "gb18030") if _decodes(path, encoding)), None)


def _decodes(path: Path, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    foreign = frequent = 0
    try:
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                text = decoder.decode(block)
                if "\0" in text:
                    return False  # text files have no NUL; binary files nearly always do
                if encoding == "gb18030":
                    foreign += sum(not character.isascii() for character in text)
                    frequent += sum(character in _FREQUENT for character in text)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return frequent >= _MIN_FREQUENT * foreign


UNDECODABLE: Final = "is neither UTF-8, UTF-16 with a byte order mark, nor GB18030 text: convert it to UTF-8"
