"""Finding the files to index under files and folders that somebody named."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from automix_graph.retrieval.entries import is_text
from automix_graph.retrieval.loaders import LOADERS, Problem

_STORE_FILE: Final = re.compile(r"vectors-\d{6,}\.faiss")


@dataclass(frozen=True, kw_only=True)
class Walk:
    """What was found.

    Attributes:
        files: to read, in a fixed order, each once.
        ignored: files and folders passed over: hidden ones, those of unknown formats, other stores, links out of
            what was named.
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
    """Find the files under paths: files themselves, and folders with all that is below them.

    Links are followed to what is below one of the paths, wherever that leads itself, and to nothing else: who may write
    to a folder of documents shall not choose what else of this machine is read.
    """
    named = list(paths)
    finder = _Finder(named=frozenset(map(_real, named)))
    for path in named:
        finder.find(path)
    return finder.walk


@dataclass(frozen=True, kw_only=True)
class _Finder:
    """A walk under way.

    Attributes:
        named: what was named, without links.
        walk: what was found so far.
        seen: files and folders found so far, without links.
    """

    named: frozenset[Path]
    walk: Walk = field(default_factory=Walk)
    seen: set[Path] = field(default_factory=set)

    def find(self, path: Path) -> None:
        """Find what is under a path that was named."""
        if path.is_dir():
            self.walk.folders.append(path)
            self._walk_folder(path)
        elif path.exists():
            self._take(path)
        else:
            _report(self.walk.unreadable, path, "does not exist")

    def _walk_folder(self, top: Path) -> None:
        for name, folders, files in os.walk(top, followlinks=True, onerror=self._cannot_list):
            folder = Path(name)
            real = _real(folder)
            # Links may lead in a circle, or twice to the same place.
            if real in self.seen or any(_STORE_FILE.fullmatch(file) for file in files):
                _report(self.walk.ignored, folder, "was walked already" if real in self.seen else "is a store")
                folders.clear()
                continue
            self.seen.add(real)
            folders[:] = [entry for entry in sorted(folders) if self._admits(folder / entry)]
            for file in sorted(files):
                self._take_found(folder / file)

    def _cannot_list(self, error: OSError) -> None:
        folder = Path(error.filename)
        self.walk.closed.append(folder)
        _report(self.walk.unreadable, folder, error.strerror or str(error))

    def _admits(self, path: Path) -> bool:
        """Whether something that was found in a folder may be looked at; report it otherwise."""
        if path.name.startswith("."):
            _report(self.walk.ignored, path, "is hidden")
            return False
        real = _real(path)
        if self.named.isdisjoint((real, *real.parents)):
            _report(self.walk.ignored, path, "is a link to a place outside of what was named to index")
            return False
        return True

    def _take_found(self, path: Path) -> None:
        """Take a file of a folder, where it is one to read."""
        if path.name.startswith(".") or path.suffix.lower() in LOADERS:
            if self._admits(path):
                self._take(path)
        else:
            _report(self.walk.ignored, path, f"has the unknown suffix {path.suffix!r}")

    def _take(self, path: Path) -> None:
        real = _real(path)
        if not path.is_file():
            # Opening a pipe would wait for somebody to write to it.
            _report(self.walk.unreadable, path, "is no regular file" if path.exists() else "is a link to nothing")
        elif not is_text(path.as_posix()):
            _report(self.walk.unreadable, path, "has a name that is not UTF-8: rename it")
        elif real in self.seen:
            _report(self.walk.ignored, path, "was found already under another name")
        else:
            self.seen.add(real)
            self.walk.files.append(path)


def _report(problems: list[Problem], path: Path, reason: str) -> None:
    printable = path.as_posix().encode(errors="replace").decode()
    problems.append(Problem(path=printable, reason=reason))


def _real(path: Path) -> Path:
    """Return where a path leads; `Path.resolve` raises where links lead in a circle."""
    return Path(os.path.realpath(path))


def _absolute(path: Path) -> Path:
    return Path(os.path.abspath(path))  # not resolve(): the names count, not where links lead
