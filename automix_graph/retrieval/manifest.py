"""The manifest of a saved store: what the folder holds, and how to know that it is whole.

Reads and writes text and checks files against it; knows no FAISS and no SQLite.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

from automix_graph.errors import StoreError
from automix_graph.retrieval.fingerprint import Fingerprint
from automix_graph.retrieval.metrics import Metric, require_metric
from automix_graph.retrieval.plan import IndexPlan, Tuned

FORMAT: Final = "automix-graph store"
SCHEMA_VERSION: Final = 2
MANIFEST: Final = "manifest.json"


@dataclass(frozen=True, kw_only=True)
class StoredFile:
    """A file of the store, by name, size in bytes and SHA-256."""

    name: str
    size: int
    sha256: str

    @classmethod
    def of(cls, path: Path) -> Self:
        """Measure a file."""
        return cls(name=path.name, size=path.stat().st_size, sha256=sha256_of(path))

    def check(self, folder: Path, *, verify: bool) -> Path:
        """Return the path of the file in a folder.

        Args:
            folder: the store.
            verify: also compare the SHA-256, which reads the whole file.

        Raises:
            StoreError: the file is missing or is not the one that was saved.
        """
        path = folder / self.name
        if not path.is_file():
            raise StoreError(f"the store at {str(folder)!r} lacks its file {self.name!r}: {_RESTORE}", path=str(folder))
        size = path.stat().st_size
        if size != self.size:
            raise StoreError(
                f"{self.name!r} in the store at {str(folder)!r} has {size} bytes, not {self.size}: {_RESTORE}",
                path=str(folder),
            )
        if verify and sha256_of(path) != self.sha256:
            raise StoreError(
                f"{self.name!r} in the store at {str(folder)!r} is damaged (its SHA-256 has changed): {_RESTORE}",
                path=str(folder),
            )
        return path


@dataclass(frozen=True, kw_only=True)
class StoredIndex:
    """An approximate index of the store: its file and its tuning.

    It may be older than the vectors: later ones are compared one by one until it is built again.
    """

    file: StoredFile
    tuned: Tuned


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What a saved store holds.

    Attributes:
        generation: counts the saves to this folder, from 1.
        count: passages, and vectors.
        metric: how vectors are compared.
        embedding: the model that made them.
        vectors: the vectors, as a flat FAISS index.
        passages: the SQLite file.
        plan: which index is wanted.
        index: the approximate index; None where every vector is compared.
    """

    generation: int
    count: int
    metric: Metric
    embedding: Fingerprint
    vectors: StoredFile
    passages: StoredFile
    plan: IndexPlan
    index: StoredIndex | None

    @property
    def files(self) -> tuple[StoredFile, ...]:
        """All files of the store but the manifest."""
        return (self.vectors, self.passages) if self.index is None else (self.vectors, self.passages, self.index.file)

    def to_json(self) -> str:
        """Return the manifest as JSON text that carries its own checksum."""
        body = {"format": FORMAT, "schema_version": SCHEMA_VERSION, **dataclasses.asdict(self)}
        return json.dumps(body | {"checksum": _checksum(body)}, ensure_ascii=False, indent=2) + "\n"

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read the manifest of a store.

        Raises:
            StoreError: there is none, it is damaged, or another version wrote it.
        """
        text = _read_text(folder)
        try:
            body = json.loads(text)
        except ValueError as error:
            raise _damaged(folder, f"is not JSON ({error})") from error
        if not isinstance(body, dict) or body.get("format") != FORMAT:
            raise _damaged(folder, f"does not say format {FORMAT!r}")
        version = body.get("schema_version")
        if version != SCHEMA_VERSION:
            older = isinstance(version, int) and version < SCHEMA_VERSION
            raise StoreError(
                f"the store at {str(folder)!r} has schema_version {version!r}; this version of automix-graph reads "
                f"{SCHEMA_VERSION}: {_OLDER if older else _NEWER}",
                path=str(folder),
                code="store-version",
            )
        if body.pop("checksum", None) != _checksum(body):
            raise _damaged(folder, "does not match its own checksum")
        return cls._from_body(body, folder)

    @classmethod
    def _from_body(cls, body: dict[str, Any], folder: Path) -> Self:
        try:
            return cls(
                generation=int(body["generation"]),
                count=int(body["count"]),
                metric=require_metric(body["metric"]),
                embedding=Fingerprint(**body["embedding"]),
                vectors=StoredFile(**body["vectors"]),
                passages=StoredFile(**body["passages"]),
                plan=IndexPlan(**body["plan"]),
                index=_stored_index(body["index"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise _damaged(folder, f"lacks or misstates a field ({error})") from error


def _stored_index(body: dict[str, Any] | None) -> StoredIndex | None:
    return None if body is None else StoredIndex(file=StoredFile(**body["file"]), tuned=Tuned(**body["tuned"]))


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal, in constant memory."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


_RESTORE: Final = "restore the folder from a copy, or build the store again"
_NEWER: Final = "upgrade automix-graph, or build the store again in another folder"
_OLDER: Final = "build the store again in another folder, or remove this one first (automix index PATH… --out DIR)"


def _read_text(folder: Path) -> str:
    if not folder.is_dir():
        raise StoreError(
            f"there is no folder {str(folder)!r}: build a store there first", path=str(folder), code="store-missing"
        )
    try:
        return (folder / MANIFEST).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise StoreError(
            f"{str(folder)!r} is no store (it has no {MANIFEST}): build a store there first",
            path=str(folder),
            code="store-missing",
        ) from None
    except UnicodeDecodeError as error:
        raise _damaged(folder, "is not UTF-8 text") from error


def _checksum(body: dict[str, Any]) -> str:
    canonical = json.dumps(body, ensure_ascii=True, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode("ascii")).hexdigest()


def _damaged(folder: Path, what: str) -> StoreError:
    return StoreError(f"{MANIFEST} in {str(folder)!r} {what}: {_RESTORE}", path=str(folder))
