"""What ingestion says of a run: while it goes on, and at its end."""

from __future__ import annotations

from dataclasses import dataclass

from automix_graph.retrieval.loaders import Problem


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a run is.

    Attributes:
        source: the file being read.
        files_done: files finished.
        files_total: files to look at.
        bytes_done: of the files finished, and an estimate for the one being read.
        bytes_total: of all files to look at.
        passages_added: stored so far.
    """

    source: str
    files_done: int
    files_total: int
    bytes_done: int
    bytes_total: int
    passages_added: int


@dataclass(frozen=True, kw_only=True)
class IngestReport:
    """What a run did.

    Attributes:
        read: files whose passages were stored.
        unchanged: files skipped, because the store has them as they are.
        removed: files that are gone, with their passages.
        unreadable: files, and lines of files, that could not be read. What the store had of such a file, it keeps.
        ignored: files and folders passed over.
        passages_added: new and replaced ones.
        passages_removed: replaced ones and those of files that changed or are gone.
    """

    read: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    unreadable: tuple[Problem, ...] = ()
    ignored: tuple[Problem, ...] = ()
    passages_added: int = 0
    passages_removed: int = 0

    @property
    def changed(self) -> bool:
        """Whether the store differs from before."""
        return bool(self.read or self.removed)
