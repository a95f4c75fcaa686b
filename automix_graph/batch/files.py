"""The files of a batch, and that none of them is another's. Nothing here reads or writes them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from automix_graph.errors import ConfigurationError

_NOT_LINES: Final = frozenset({".csv", ".parquet"})


@dataclass(frozen=True, kw_only=True)
class BatchFiles:
    """Where a batch reads and writes.

    Attributes:
        data: the questions.
        out: the output.
        journal: with which the batch goes on.
        rejects: the rows that cannot be used.

    Example:
        >>> files = BatchFiles.of(Path("in.jsonl"), Path("out.jsonl"), None)
        >>> files.journal.name, files.rejects.name
        ('out.jsonl.journal', 'out.rejects.jsonl')
        >>> BatchFiles.of(Path("in.jsonl"), Path("out.txt"), None).rejects.name
        'out.txt.rejects'
    """

    data: Path
    out: Path
    journal: Path
    rejects: Path

    @classmethod
    def of(cls, data: Path, out: Path, rejects: str | Path | None) -> Self:
        """Return the files of a batch.

        Args:
            data: the questions.
            out: the output.
            rejects: the rows that cannot be used; None: beside the output.

        Raises:
            ConfigurationError: one of them is another one too, or the output cannot be of this kind, or is there
                without a journal.
        """
        if out.suffix.lower() in _NOT_LINES:
            raise ConfigurationError(
                f"output {str(out)!r} would be no JSON Lines; give a name that ends in .jsonl",
                code="file-of-something-else",
            )
        # Two outputs never share one.
        beside = f"{out.stem}.rejects.jsonl" if out.suffix == ".jsonl" else f"{out.name}.rejects"
        files = cls(
            data=data,
            out=out,
            journal=out.with_name(f"{out.name}.journal"),
            rejects=out.with_name(beside) if rejects is None else Path(rejects),
        )
        files._require_apart()
        if _bytes_in(out) and not _bytes_in(files.journal):
            raise ConfigurationError(
                f"{str(out)!r} is there without its journal {str(files.journal)!r}, so it is left as it is; choose "
                "another output, or delete it",
                code="file-of-something-else",
            )
        return files

    def _require_apart(self) -> None:
        names = {"data set": self.data, "output": self.out, "journal": self.journal, "file of rejects": self.rejects}
        seen: dict[Path, str] = {}
        for name, path in names.items():
            if (other := seen.setdefault(path.resolve(), name)) != name:
                raise ConfigurationError(
                    f"{str(path)!r} is both {other} and {name}; give each a file of its own",
                    code="file-of-something-else",
                )


def _bytes_in(path: Path) -> bool:
    return path.exists() and path.stat().st_size > 0
