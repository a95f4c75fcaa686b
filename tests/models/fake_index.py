"""A package index in memory, and the model that it holds."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from automix_graph.models.catalog import EmbeddedModel, ModelFile, WheelPart

CONTENT = bytes(range(256)) * 40
PIECES = (CONTENT[:4000], CONTENT[4000:8000], CONTENT[8000:])


def make_model(name: str = "tiny", *, content: bytes = CONTENT, wheel_bytes: int = 5000) -> EmbeddedModel:
    parts = tuple(
        WheelPart(package=f"tiny-part{n}", version="1.0", member=f"tiny/part{n}.bin", wheel_bytes=wheel_bytes)
        for n in range(1, len(PIECES) + 1)
    )
    file = ModelFile(name="tiny.gguf", size=len(content), sha256=hashlib.sha256(content).hexdigest(), parts=parts)
    return EmbeddedModel(
        name=name,
        kind="chat",
        roles=("small",),
        files=(file,),
        licence="Apache-2.0",
        source="tests",
        description="tiny",
        context_tokens=16,
    )


@dataclass
class FakeIndex:
    """A package index in memory that can be told to fail, and remembers what it was asked for."""

    pieces: dict[str, bytes]
    failures: dict[str, BaseException] = field(default_factory=dict)
    before: Callable[[WheelPart], None] = lambda part: None
    downloads: list[str] = field(default_factory=list)
    folders: list[Path] = field(default_factory=list)

    def download(self, part: WheelPart, folder: Path, *, progress: Callable[[int], None]) -> Path:
        self.downloads.append(part.package)
        self.folders.append(folder)
        self.before(part)
        (folder / "half").write_bytes(b"half a wheel")
        progress(part.wheel_bytes // 2)
        progress(part.wheel_bytes * 2)
        if part.package in self.failures:
            raise self.failures.pop(part.package)
        wheel = folder / f"{part.package}.whl"
        with zipfile.ZipFile(wheel, "w") as archive:
            archive.writestr(part.member, self.pieces[part.package])
        return wheel
