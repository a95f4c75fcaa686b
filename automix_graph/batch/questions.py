"""The questions of a batch, read one at a time: which can be asked, and what is wrong with the others.

A data set is gone through twice, so that what is wrong with it, and how much there is to do, is known before anything
is paid for. Nothing here keeps a text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from automix_graph.errors import ConfigurationError
from automix_graph.recording.row_files import Found, read_values
from automix_graph.recording.rows import row_of

_MOST_TEXT: Final = 10_000
"""Bytes of a rejected line that are told."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """A row that can be asked about.

    Attributes:
        id: as the row has it; the number of its line where it has none.
        text: of the question.
    """

    id: str | int
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Rejected:
    """A row that cannot be used.

    Attributes:
        line: its number, from 1; that of the row in a Parquet file.
        reason: what is wrong with it, and what to do.
        text: the line, or its beginning; None where the file does not consist of such lines.
    """

    line: int
    reason: str
    text: str | None


class Questions:
    r"""The questions of a data set, which are those that can be asked.

    Args:
        path: of the data set, see `automix_graph.recording.read_rows`.
        longest: characters that a question may have.
        rejecting: called with each row that cannot be used.

    Attributes:
        count: how many can be asked.
        rejected: how many rows cannot be used.

    Raises:
        ConfigurationError: the file cannot be read as a whole, or has no rows.
        MissingExtraError: it is a Parquet file, and pyarrow is not installed.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder, "data.jsonl")
        ...     _ = path.write_text('{"id": 7, "question": "When?"}\n{"id": 8}\n{"question": "Who?"}')
        ...     rejected = []
        ...     [(question.id, question.text) for question in Questions(path, longest=100, rejecting=rejected.append)]
        [(7, 'When?'), (3, 'Who?')]
        >>> rejected[0].line, rejected[0].reason
        (2, 'question is missing; give a text that is not blank')
    """

    def __init__(self, path: Path, *, longest: int, rejecting: Callable[[Rejected], object]) -> None:
        self.count = 0
        self._path = path
        self._longest = longest
        self._skipped: set[int] = set()
        self._last = 0
        lines_by_id: dict[str, int] = {}
        for found in read_values(path):
            self._last = found.number
            try:
                question = _question(found, longest)
                if (first := lines_by_id.setdefault(str(question.id), found.number)) != found.number:
                    raise ValueError(
                        f"id {question.id!r} is there already, at {found.unit} {first}; give each row an id of its own"
                    )
            except ValueError as error:
                self._skipped.add(found.number)
                rejecting(Rejected(line=found.number, reason=str(error), text=_text(found)))
            else:
                self.count += 1
        self.rejected = len(self._skipped)
        if not self._last:
            raise ConfigurationError(f"data set {str(path)!r} has no rows; give one row a question", code="data-set")

    def __iter__(self) -> Iterator[Question]:
        """Go through the questions in their order; lines that were added in the meantime are left out.

        Raises:
            ConfigurationError: the file is not what it was.
        """
        for found in read_values(self._path):
            if found.number > self._last:
                return
            if found.number in self._skipped:
                continue
            try:
                yield _question(found, self._longest)
            except ValueError as error:
                raise ConfigurationError(
                    f"data set {str(self._path)!r} has changed at {found.place} while it was read; run the same again",
                    code="data-set",
                ) from error


def _question(found: Found, longest: int) -> Question:
    """Return the question of a row; raise a ValueError that says what is wrong with it."""
    if isinstance(found.values, str):
        raise ValueError(found.values)
    given = found.values.get("id")
    row = row_of({"id": found.number if given is None else given, "question": found.values.get("question")})
    if len(row.question) > longest:
        raise ValueError(f"question has {len(row.question)} characters, and {longest} are allowed; shorten it")
    return Question(id=row.id if isinstance(given, str) else int(row.id), text=row.question)


def _text(found: Found) -> str | None:
    return None if found.raw is None else found.raw[:_MOST_TEXT].decode("utf-8", "backslashreplace").rstrip("\r\n")
