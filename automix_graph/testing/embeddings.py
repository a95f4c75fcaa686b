"""A deterministic embedding model for tests: no download, no key, the same vectors on every machine.

It compares words, not meanings.
"""

from __future__ import annotations

import hashlib
import math
import re
import unicodedata
from collections import Counter
from typing import Final

from langchain_core.embeddings import Embeddings

from automix_graph.errors import ConfigurationError

_TOKEN: Final = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7ff]|\w+")


class HashEmbeddings(Embeddings):
    """Embed a text as a hashed bag of words, scaled to length 1.

    Words are lower-cased; Chinese, Japanese and Korean characters count one by one. Texts without words have the zero
    vector.

    Args:
        dimension: components of each vector.
        name: told apart in error messages; it also seeds the hash, so two names are two models.

    Example:
        >>> model = HashEmbeddings()
        >>> model.embed_query("Red fox") == model.embed_query("red FOX!")
        True
    """

    def __init__(self, dimension: int = 64, *, name: str = "hash-embeddings") -> None:
        if dimension < 1:
            raise ConfigurationError(f"dimension is {dimension!r}; it must be at least 1")
        self.dimension = dimension
        self.name = name

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """Embed texts."""
        return [self.embed_query(text) for text in texts]

    def embed_query(self, text: str) -> list[float]:
        """Embed one text."""
        vector = [0.0] * self.dimension
        for token, count in Counter(_TOKEN.findall(unicodedata.normalize("NFKC", text).lower())).items():
            digest = hashlib.sha256(f"{self.name}\0{token}".encode(errors="replace")).digest()
            sign = 1.0 if digest[8] & 1 else -1.0
            vector[int.from_bytes(digest[:8], "big") % self.dimension] += sign * count
        length = math.sqrt(sum(component**2 for component in vector))
        return [component / length for component in vector] if length else vector
