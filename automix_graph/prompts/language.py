"""Which language's prompts a question gets."""

from __future__ import annotations

import re
from typing import Final

_HAN: Final = re.compile(r"[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_KANA: Final = re.compile(r"[\u3040-\u30ff]")
_LATIN_WORD: Final = re.compile(r"[A-Za-z\u00c0-\u024f]+")


def detect_language(text: str) -> str:
    """Return ``"zh"`` for a Chinese text, else ``"en"``.

    A Chinese word has about two characters, so the text is Chinese if it has at least two Han characters for each
    Latin word; names in Latin letters inside a Chinese question do not turn it English, nor the other way round.

    Example:
        >>> detect_language("Kubernetes 是什么？"), detect_language("Who wrote 红楼梦?")
        ('zh', 'en')
    """
    han = len(_HAN.findall(text))
    if not han or _KANA.search(text):
        return "en"
    return "zh" if han >= 2 * len(_LATIN_WORD.findall(text)) else "en"
