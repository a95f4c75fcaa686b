"""Records from production: a LangChain callback handler that appends one for each question that a graph has answered.

It reads what the node writes that commits the answer; it changes nothing, and whatever goes wrong in it stays in it. A
question that ends in an exception is not recorded. Such a record has a route and decisions, and no scores: nobody knows
the right answer.
"""

from __future__ import annotations

import logging
import random
import threading
from collections import OrderedDict
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from langchain_core.callbacks import BaseCallbackHandler

from automix_graph.errors import ConfigurationError
from automix_graph.models.calling import kind_of
from automix_graph.recording.appending import append_line, closing, first_bytes, lock_of, mend, open_for_appending
from automix_graph.recording.settings import SETTINGS_LINE
from automix_graph.records import Record, Recorded, redacted_text

_log: Final = logging.getLogger(__name__)

_PATIENCE: Final = 5.0
"""Seconds to wait for another process that writes to the same file."""
_REMEMBERED: Final = 4096
"""Runs of which it is known that they are recorded."""


class RecordingHandler(BaseCallbackHandler):
    """Append a record for each question: ``graph.invoke(question, {"callbacks": [RecordingHandler(path)]})``.

    Works with every way to run the graph, and where the graph is a node of another one. Several threads and processes
    may write to one file. The id of a record is the run id of the graph, so that it can be found in traces.

    Args:
        path: of the file, JSON Lines; not one that ``automix record`` writes.
        sample: share of the questions to record, in [0, 1].
        seed: of the sample: the same questions in the same order give the same sample; None: another one each time.
        redact: True replaces the texts of a record (question, passages, answers) by their lengths; or a function from
            a text to what is kept of it. What cannot be redacted is not recorded.

    Raises:
        ConfigurationError: the file cannot be written or holds something else, or `sample` lies outside [0, 1].

    Example:
        >>> import tempfile
        >>> from automix_graph import create_automix
        >>> from automix_graph.evaluation.record_files import read_records
        >>> from automix_graph.testing import ScriptedChatModel, StaticRetriever
        >>> graph = create_automix(
        ...     small=ScriptedChatModel(["In May"]),
        ...     large=ScriptedChatModel(["Correct"]),
        ...     retriever=StaticRetriever(["It was in May."]),
        ... )
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     handler = RecordingHandler(Path(folder, "live.jsonl"), redact=True)
        ...     _ = graph.invoke({"question": "When?"}, {"callbacks": [handler]})
        ...     record = read_records(Path(folder, "live.jsonl")).rows[0].record
        >>> record.route, record.question
        ('small', '[redacted, 5 characters]')
    """

    ignore_llm = True
    ignore_chat_model = True
    ignore_retriever = True
    ignore_agent = True

    def __init__(
        self,
        path: str | Path,
        *,
        sample: float = 1.0,
        seed: int | None = None,
        redact: bool | Callable[[str], str] = False,
    ) -> None:
        if not 0.0 <= sample <= 1.0:
            raise ConfigurationError(f"sample is {sample!r}; use a share in [0, 1]")
        self.path = Path(path)
        self._sample = sample
        self._random = random.Random(seed)
        self._redact = redaction_of(redact)
        self._lock = threading.Lock()
        self._recorded: OrderedDict[str, None] = OrderedDict()
        self._warned = False
        check_live_file(self.path)

    def on_chain_end(self, outputs: Any, *, run_id: UUID, parent_run_id: UUID | None = None, **kwargs: Any) -> None:
        """Record what a node writes that commits an answer; other runs end here too, and are let pass."""
        try:
            if isinstance(outputs, dict) and isinstance(outputs.get("record"), str) and "answer" in outputs:
                self._record(outputs["record"], str(parent_run_id or run_id))
        except Exception as error:
            self._warn(error)

    def _record(self, sealed: str, id_: str) -> None:
        if not self._is_chosen(id_):
            return
        record = Record.unseal(sealed)
        if self._redact is not None:
            record = record.redacted(self._redact)
        line = Recorded(id=id_, record=record, time=datetime.now(UTC).isoformat(timespec="seconds")).to_json()
        with self._lock, lock_of(self.path).acquire(timeout=_PATIENCE), closing(open_for_appending(self.path)) as file:
            mend(file, self.path)
            append_line(file, line)

    def _is_chosen(self, id_: str) -> bool:
        """Whether a question is in the sample; one that was seen before is not, whoever tells of it again."""
        with self._lock:
            if id_ in self._recorded:
                return False
            self._recorded[id_] = None
            if len(self._recorded) > _REMEMBERED:
                self._recorded.popitem(last=False)
            return self._random.random() < self._sample

    def _warn(self, error: Exception) -> None:
        # Neither the error's words nor its traceback: they may hold the user's text.
        if not self._warned:
            self._warned = True
            _log.warning("questions are not recorded to %s: %s; this is said once", self.path, kind_of(error))


def redaction_of(redact: bool | Callable[[str], str]) -> Callable[[str], str] | None:
    """Return what is made of the texts of a record; None: they stay.

    Raises:
        ConfigurationError: it is neither a choice nor a function.
    """
    if isinstance(redact, bool):
        return redacted_text if redact else None
    if not callable(redact):
        raise ConfigurationError(f"redact is {redact!r}; use True, False, or a function from a text to a text")

    def checked(text: str) -> str:
        redacted = redact(text)
        if not isinstance(redacted, str):
            raise TypeError(f"redact returned a {type(redacted).__name__}")
        return redacted

    return checked


def check_live_file(path: Path) -> None:
    """Refuse a file that cannot be written, or whose lines are others.

    Raises:
        ConfigurationError: it is one.
    """
    with closing(open_for_appending(path)):
        beginning = first_bytes(path, len(SETTINGS_LINE))
    if beginning == SETTINGS_LINE or (beginning and not beginning.startswith(b"{")):
        raise ConfigurationError(
            f"{str(path)!r} holds something else than records of a RecordingHandler; choose another file",
            code="file-of-something-else",
        )
