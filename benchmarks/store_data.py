"""Passages with vectors for the benchmarks of the store: WordNet's glosses, or drawn at random."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from langchain_core.embeddings import Embeddings
from numpy.typing import NDArray

Matrix = NDArray[np.float32]

DIMENSION: Final = 384
CENTRES: Final = 2_000
NOISE: Final = 0.7
"""Spread of drawn vectors around their centre, whose components have variance 1."""


@dataclass(frozen=True, kw_only=True)
class Data:
    """Passages, their vectors, and vectors to ask with, scaled to length 1.

    Attributes:
        name: for the report.
        texts: one for each vector.
        vectors: shape (n, dimension), on disk.
        queries: shape (queries, dimension), none of them among the vectors.
    """

    name: str
    texts: list[str]
    vectors: Matrix
    queries: Matrix


class Fixed(Embeddings):
    """Stands for the embedding model where none is asked: opening embeds one text to know the model."""

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """Return the same vector for each text."""
        return [self.embed_query(text) for text in texts]

    def embed_query(self, text: str) -> list[float]:
        """Return a vector of ones."""
        return [1.0] * DIMENSION


def load(work: Path, name: str) -> Data:
    """Return data that `synthetic` or `wordnet` has made in a folder."""
    folder = work / name
    return Data(
        name=name,
        texts=(folder / "texts.txt").read_text(encoding="utf-8").splitlines(),
        vectors=np.load(folder / "vectors.npy", mmap_mode="r"),
        queries=np.load(folder / "queries.npy"),
    )


def synthetic(work: Path, n: int, *, seed: int = 0) -> str:
    """Draw n vectors around centres, and 500 queries in the same way; return the name of the data."""
    name = f"synthetic-{n}"
    folder = work / name
    if (folder / "queries.npy").exists():
        return name
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(CENTRES, DIMENSION)).astype(np.float32)
    vectors = np.lib.format.open_memmap(folder / "vectors.npy", "w+", np.float32, (n, DIMENSION))
    for start in range(0, n, 20_000):
        vectors[start : start + 20_000] = _drawn(rng, centres, min(20_000, n - start))
    vectors.flush()
    words = np.array(["river", "otter", "panda", "night", "steam", "engine", "glass", "music", "paper", "tower"])
    with (folder / "texts.txt").open("w", encoding="utf-8") as file:
        for number in range(n):
            # As long as a WordNet gloss: 12 words.
            file.write(f"passage {number} " + " ".join(words[rng.integers(0, 10, size=10)]) + "\n")
    np.save(folder / "queries.npy", _drawn(rng, centres, 500))
    return name


def wordnet(work: Path, source: Path, questions: Path) -> str:
    """Embed WordNet's glosses with the default model, and questions to ask; return the name of the data.

    Args:
        work: folder of the data.
        source: folder with WordNet's ``data.noun`` and so on.
        questions: JSONL with ``question``.
    """
    import json

    folder = work / "wordnet"
    if (folder / "queries.npy").exists():
        return "wordnet"
    from automix_graph.models import load_embeddings

    folder.mkdir(parents=True, exist_ok=True)
    texts = glosses(source)
    model = load_embeddings()
    vectors = np.lib.format.open_memmap(folder / "vectors.npy", "w+", np.float32, (len(texts), DIMENSION))
    for start in range(0, len(texts), 512):
        vectors[start : start + 512] = model.embed_documents(texts[start : start + 512])
    vectors.flush()
    (folder / "texts.txt").write_text("\n".join(texts) + "\n", encoding="utf-8")
    asked = [json.loads(line)["question"] for line in questions.read_text(encoding="utf-8").splitlines()]
    np.save(folder / "queries.npy", np.array(model.embed_documents(asked), dtype=np.float32))
    return "wordnet"


def wordnet_drawn(work: Path, source: Path) -> str:
    """Pair WordNet's glosses with drawn vectors, as real ones take an hour to embed; return the name of the data."""
    texts = glosses(source)
    drawn = work / synthetic(work, len(texts))
    folder = work / "wordnet-drawn"
    folder.mkdir(exist_ok=True)
    (folder / "texts.txt").write_text("\n".join(texts) + "\n", encoding="utf-8")
    for name in ("vectors.npy", "queries.npy"):
        (folder / name).unlink(missing_ok=True)
        (folder / name).hardlink_to(drawn / name)
    return folder.name


def glosses(source: Path) -> list[str]:
    """Return the gloss of each of WordNet's synsets."""
    if not (source / "data.noun").exists():
        raise SystemExit(
            f"there is no WordNet in {source}: install the Debian package wordnet-base, or name its folder"
        )
    lines = [
        line
        for part in ("noun", "verb", "adj", "adv")
        for line in (source / f"data.{part}").read_text(encoding="utf-8").splitlines()
    ]
    return [line.split("| ", 1)[1].strip() for line in lines if not line.startswith("  ")]


def _drawn(rng: np.random.Generator, centres: Matrix, n: int) -> Matrix:
    rows = centres[rng.integers(0, len(centres), size=n)] + NOISE * rng.normal(size=(n, DIMENSION)).astype(np.float32)
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
