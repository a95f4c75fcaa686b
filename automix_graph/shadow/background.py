"""A bounded queue and a few threads, on which the models that a question lacks are asked once its user is served.

Threads of their own, and the synchronous clients of models, for graphs of both kinds: an event loop that serves users
is not theirs to use, and neither are connections that belong to it. They start with an empty context, so that no
callback, stream or budget of a user is there to be found. Nothing ever waits for them: what does not fit into the queue
is dropped and counted.
"""

from __future__ import annotations

import atexit
import contextvars
import dataclasses
import logging
import math
import threading
import weakref
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from automix_graph.costs import Limits, Prices
from automix_graph.errors import ConfigurationError
from automix_graph.graph.behind import Job
from automix_graph.graph.limiting import require_prices
from automix_graph.models.failures import kind_of
from automix_graph.recording.handler import redaction_of
from automix_graph.recording.judge import LLMJudge
from automix_graph.recording.scoring import ScoreFunction, Scorer, scorer_of
from automix_graph.shadow.counts import Counts, changes_by
from automix_graph.shadow.live_file import LiveFile
from automix_graph.shadow.purse import Purse
from automix_graph.shadow.work import Work

_log: Final = logging.getLogger(__name__)

_EXIT_SECONDS: Final = 5.0
"""For work that is left when the process ends."""


class Background:
    """Where a graph in shadow mode, or one that is audited, puts its records, and what that may cost.

    Graphs may share one. Several processes may write to one file.

    Args:
        records: the file, JSON Lines; gone on with if it is there. Not one that ``automix record`` writes.
        max_cost: ceiling on what is spent on background calls by all records of the file together, in USD; every model
            needs a known price. A call is made only if its worst case still fits; after the first one that does not,
            nothing is begun any more. None: there is no ceiling.
        queue: questions that wait at most; further ones are dropped.
        concurrency: questions in work at one time.
        seconds: for one question; a call that runs longer is given up.
        scorer: how answers are compared with the large model's: a name of `automix_graph.recording.scoring`, an
            `LLMJudge`, or a function of question, answer and a list with the large answer.
        redact: as for `RecordingHandler`; answers are compared before.
        seed: of the sample.

    Raises:
        ConfigurationError: a setting cannot be used, or the file cannot be written or holds something else.

    Example:
        >>> import tempfile
        >>> from automix_graph import create_automix
        >>> from automix_graph.evaluation import read_records
        >>> from automix_graph.testing import ScriptedChatModel, StaticRetriever
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     background = Background(records=Path(folder, "shadow.jsonl"))
        ...     graph = create_automix(
        ...         small=ScriptedChatModel(["May"]),
        ...         large=ScriptedChatModel(["In May.", "Correct"]),
        ...         retriever=StaticRetriever(["It was in May."]),
        ...         mode="shadow",
        ...         background=background,
        ...     )
        ...     answer = graph.invoke({"question": "When?"})["answer"]
        ...     done = background.flush()
        ...     row = read_records(background.path).rows[0]
        >>> answer, done, [draft.text for draft in row.record.drafts], dict(row.scores)
        ('In May.', True, ['May', 'In May.'], {'small': 1.0, 'large': 1.0})
    """

    def __init__(
        self,
        *,
        records: str | Path,
        max_cost: float | None = None,
        queue: int = 64,
        concurrency: int = 2,
        seconds: float = 120.0,
        scorer: str | Scorer | ScoreFunction = "auto",
        redact: bool | Callable[[str], str] = False,
        seed: int = 0,
    ) -> None:
        _check_numbers(max_cost, queue, concurrency, seconds, seed)
        compares = scorer_of(scorer)
        if isinstance(compares, LLMJudge):
            require_prices(Limits(max_cost=max_cost), Prices(compares.prices), [compares.model.label])
        self._purse = Purse(max_cost)
        self._work = Work(
            file=LiveFile(records), purse=self._purse, scorer=compares, redact=redaction_of(redact), seconds=seconds
        )
        self._seed = seed
        self._most, self._threads = queue, concurrency
        self._changed = threading.Condition()
        self._jobs: deque[Job] = deque()
        self._running = 0
        self._counts = Counts()
        self._closed = self._warned = False
        atexit.register(_close, weakref.ref(self))

    @property
    def path(self) -> Path:
        """The file of records."""
        return self._work.file.path

    @property
    def seed(self) -> int:
        """Of the sample."""
        return self._seed

    @property
    def max_cost(self) -> float | None:
        """Ceiling on the cost, in USD."""
        return self._purse.max_cost

    @property
    def counts(self) -> Counts:
        """What has become of the questions so far."""
        with self._changed:
            return dataclasses.replace(self._counts, spent=self._purse.spent)

    def offer(self, job: Job) -> None:
        """Take a job, or drop it; at once."""
        with self._changed:
            self._count(drawn=1)
            if self._purse.empty:
                self._count(over_budget=1)
            elif self._work.pauses:
                self._count(unwritable=1)
            elif self._closed or len(self._jobs) >= self._most:
                self._count(dropped=1)
            else:
                self._jobs.append(job)
                self._count(waiting=1)
                if self._running < self._threads:
                    self._begin()

    def flush(self, timeout: float | None = None) -> bool:
        """Wait until nothing is in work any more: for tests, and before a serverless function returns.

        Args:
            timeout: in seconds; None: as long as it takes.

        Returns:
            Whether all is done.
        """
        with self._changed:
            return self._changed.wait_for(lambda: not self._counts.waiting, timeout)

    def close(self, timeout: float = _EXIT_SECONDS) -> None:
        """Take nothing more, wait a while for what is in work, and drop what has not been begun by then.

        It is called when the process ends, and may be called more than once.
        """
        with self._changed:
            self._closed = True
        if not self.flush(timeout):
            self._drop()

    def _drop(self) -> None:
        with self._changed:
            left = len(self._jobs)
            self._jobs.clear()
            self._count(dropped=left, waiting=-left)
            self._changed.notify_all()

    def _at_exit(self) -> None:
        if not _can_begin_threads():  # which calls with a time limit need: what has not begun could only fail
            self._drop()
        self.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.flush()
        self.close()

    def _begin(self) -> None:
        # In a context of its own: some versions of Python would hand on that of the question.
        thread = threading.Thread(target=contextvars.Context().run, args=(self._run,), name="automix-behind")
        thread.daemon = True
        try:
            thread.start()
            self._running += 1
        except RuntimeError:  # no more threads
            if not self._running:
                self._jobs.pop()
                self._count(dropped=1, waiting=-1)

    def _run(self) -> None:
        while (job := self._next()) is not None:
            changes: dict[str, float] = {"lost": 1}
            kind = "it cannot be opened, or another process holds it"
            try:
                done = self._work.done(job)
                changes = {done: 1} if isinstance(done, str) else changes_by(done)
            except Exception as error:
                kind = kind_of(error)  # neither its words nor its traceback: they may hold the user's text
            finally:
                with self._changed:
                    self._count(waiting=-1, **changes)
                    self._tell(changes, kind)
                    self._changed.notify_all()

    def _next(self) -> Job | None:
        with self._changed:
            if self._jobs:
                return self._jobs.popleft()
            self._running -= 1
            return None

    def _count(self, **changes: float) -> None:
        added = {name: getattr(self._counts, name) + change for name, change in changes.items()}
        self._counts = dataclasses.replace(self._counts, **added)

    def _tell(self, changes: Mapping[str, float], kind: str) -> None:
        """Say that the file cannot be written, once, and that it can be again."""
        if not self._warned and ("lost" in changes or "unwritable" in changes):
            self._warned = True
            _log.warning("questions are not recorded to %s: %s; nobody is asked until they can be", self.path, kind)
        elif self._warned and "recorded" in changes:
            self._warned = False
            passed, lost = self._counts.unwritable, self._counts.lost
            _log.warning("%s can be written again; so far %d were passed over, %d lost", self.path, passed, lost)


def _check_numbers(max_cost: object, queue: object, concurrency: object, seconds: object, seed: object) -> None:
    for name, value in (("queue", queue), ("concurrency", concurrency)):
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise ConfigurationError(f"{name} is {value!r}; use a whole number, 1 or more")
    for name, value, optional in (("max_cost", max_cost, True), ("seconds", seconds, False)):
        number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and value > 0
        if not number and not (optional and value is None):
            raise ConfigurationError(f"{name} is {value!r}; use a number above 0{', or None' if optional else ''}")
    if not isinstance(seed, int) or isinstance(seed, bool):
        raise ConfigurationError(f"seed is {seed!r}; use a whole number")


def _close(background: weakref.ref[Background]) -> None:
    if (found := background()) is not None:
        found._at_exit()


def _can_begin_threads() -> bool:
    """Whether this process may still begin threads: Python 3.12 lets none begin once it ends."""
    try:
        threading.Thread(target=int, daemon=True).start()
    except RuntimeError:
        return False
    return True
