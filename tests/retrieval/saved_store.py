"""A store in a folder, and what is seen of its files."""

from __future__ import annotations

from pathlib import Path

from automix_graph.testing.embeddings import HashEmbeddings

EMBEDDING = HashEmbeddings()
METADATA = {"source": "a.md", "n": [1, None, {"键": 0.1}], "big": 2**70}


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} - {".lock"}


def contents(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in names(folder)}
