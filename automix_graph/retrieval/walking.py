"""Finding the files to index under files and folders that somebody named."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from automix_graph.retrieval.loaders import LOADERS, Problem

_STORE_FILE: Final = re.compile(r"vectors-\d{6,}\.faiss")


@dataclass(frozen=True, kw_only=True)
class Walk:
    """What was found.

    Attributes:
        files: to read, in a fixed order, each once.
        ignored: files and folders passed over: hidden ones, those of unknown formats, other stores.
        unreadable: what was named, or should be there, and cannot be read.
        folders: the folders that were named and walked.
        closed: folders below them that could not be listed.
    """

    files: list[Path] = field(default_factory=list)
    ignored: list[Problem] = field(default_factory=list)
    unreadable: list[Problem] = field(default_factory=list)
    folders: list[Path] = field(default_factory=list)
    closed: list[Path] = field(default_factory=list)

    def covers(self, path: Path) -> bool:
        """Whether the walk would have found this file if it were there."""
        place = _absolute(path)
        if any(place.is_relative_to(_absolute(folder)) for folder in self.closed):
            return False
        return any(place.is_relative_to(_absolute(folder)) for folder in self.folders)


def find_files(paths: Iterable[Path]) -> Walk:
    """Find the files under paths: files themselves, and folders with all that is below them."""
    walk = Walk()
    seen: set[Path] = set()
    for path in paths:
        if path.is_dir():
            walk.folders.append(path)
            _walk_folder(path, walk, seen)
        elif not path.exists():
            _report(walk.unreadable, path, "does not exist")
        else:
            _take(path, walk, seen)
    return walk


def _walk_folder(top: Path, walk: Walk, seen: set[Path]) -> None:
    def cannot_list(error: OSError) -> None:
        folder = Path(error.filename)
        walk.closed.append(folder)
        _report(walk.unreadable, folder, error.strerror or str(error))

    for name, folders, files in os.walk(top, followlinks=True, onerror=cannot_list):
        folder = Path(name)
        real = folder.resolve()
        # Links may lead in a circle, or twice to the same place.
        if real in seen or any(_STORE_FILE.fullmatch(file) for file in files):
            _report(walk.ignored, folder, "was walked already" if real in seen else "is a store")
            folders.clear()
            continue
        seen.add(real)
        for hidden in sorted(entry for entry in folders if entry.startswith(".")):
            _report(walk.ignored, folder / hidden, "is hidden")
        folders[:] = sorted(entry for entry in folders if not entry.startswith("."))
        for file in sorted(files):
            _take_found(folder / file, walk, seen)


def _take_found(path: Path, walk: Walk, seen: set[Path]) -> None:
    """Take a file of a folder, where it is one to read."""
    if path.name.startswith("."):
        _report(walk.ignored, path, "is hidden")
    elif path.suffix.lower() not in LOADERS:
        _report(walk.ignored, path, f"has the unknown suffix {path.suffix!r}")
    else:
        _take(path, walk, seen)


def _take(path: Path, walk: Walk, seen: set[Path]) -> None:
    real = path.resolve()
    if not path.is_file():
        # Opening a pipe would wait for somebody to write to it.
        _report(walk.unreadable, path, "is no regular file" if path.exists() else "is a link to nothing")
    elif not _is_text(path.as_posix()):
        _report(walk.unreadable, path, "has a name that is not UTF-8: rename it")
    elif real in seen:
        _report(walk.ignored, path, "was found already under another name")
    else:
        seen.add(real)
        walk.files.append(path)


def _report(problems: list[Problem], path: Path, reason: str) -> None:
    printable = path.as_posix().encode(errors="replace").decode()
    problems.append(Problem(path=printable, reason=reason))


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _absolute(path: Path) -> Path:
    return Path(os.path.abspath(path))  # not resolve(): the names count, not where links lead
