"""The errors that this package raises on purpose.

::

    AutomixError
    ├── ConfigurationError   an argument, option or file that cannot be used as given
    │   └── CalibrationRefused   rows that do not support the target of a calibration (in ``automix_graph.calibration``)
    ├── EngineError          a cluster that failed while it worked (in ``automix_graph.engines``)
    ├── MissingExtraError    an optional dependency that is not installed
    ├── ModelFileError       weights that are missing, damaged or cannot be fetched
    ├── ModelCallError       a chat model that failed to answer
    ├── LimitReachedError    a question that has come to its ceiling on cost, calls or seconds
    └── StoreError           a retrieval store that cannot be opened, read or written

Every message says what was wrong, what is allowed and what to do; the attributes hold the values. Every error has a
``code``, which stays the same when words change; ``automix explain CODE`` and the page "Errors" of the documentation
say what lies behind it. All of them survive pickling, so that they can cross process borders. This module knows nothing
of models, stores or graphs.
"""

from __future__ import annotations

from typing import Any, ClassVar, Literal, Self

Code = Literal[
    # Arguments, and what models, retrievers, verifiers and policies give back
    "bad-argument",
    "bad-filter",
    "bad-fit",
    "bad-passage",
    "bad-prompts",
    "bad-question",
    "bad-retriever",
    "bad-tiers",
    "bad-vectors",
    "bad-verifier",
    "event-loop",
    "no-passages",
    "not-a-graph",
    "unknown-language",
    "verifier-result",
    # Policies and calibration
    "calibration-refused",
    "policy-decision",
    "policy-file",
    "policy-of-another-cascade",
    # Models and money
    "limit-reached",
    "missing-extra",
    "model-call",
    "model-load",
    "model-package",
    "model-setup",
    "unknown-model",
    "unknown-price",
    # Weights
    "disk-space",
    "weights-damaged",
    "weights-download",
    "weights-missing",
    # Files
    "damaged-records",
    "data-set",
    "file-in-use",
    "file-of-something-else",
    "file-unwritable",
    "other-configuration",
    "records",
    "table",
    # Stores
    "community-store",
    "other-embedding-model",
    "store-busy",
    "store-closed",
    "store-damaged",
    "store-folder",
    "store-missing",
    "store-version",
    # Servers and clusters
    "ray-cluster",
    "server-address",
    "server-environment",
    "server-keys",
]
"""What an error is about, for programs and for ``automix explain``."""


def _rebuild(cls: type[AutomixError], message: str, state: dict[str, Any]) -> AutomixError:
    error = cls.__new__(cls)
    Exception.__init__(error, message)
    error.__dict__.update(state)
    return error


class AutomixError(Exception):
    """Base of every error that this package raises on purpose.

    Attributes:
        code: what the error is about.

    Example:
        >>> ConfigurationError("there is no policy file 'p.json'", code="policy-file").code
        'policy-file'
    """

    usual_code: ClassVar[Code] = "bad-argument"

    def __init__(self, message: str, *, code: Code | None = None) -> None:
        super().__init__(message)
        self.code: Code = code or self.usual_code

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), str(self), self.__dict__)


class ConfigurationError(AutomixError, ValueError):
    """An argument, option or file that cannot be used as given."""


class MissingExtraError(AutomixError, ImportError):
    """An optional dependency that is not installed.

    Attributes:
        extra: the extra of this distribution that brings it.
    """

    usual_code = "missing-extra"

    def __init__(self, needed_for: str, *, extra: str) -> None:
        super().__init__(f"{needed_for} needs the '{extra}' extra: pip install 'automix-graph[{extra}]'")
        self.extra = extra


class ModelFileError(AutomixError):
    """Weights that are missing, damaged or cannot be fetched.

    Attributes:
        name: the model's name, as in ``automix models list``.
    """

    usual_code = "weights-damaged"

    def __init__(self, message: str, *, name: str, code: Code | None = None) -> None:
        super().__init__(message, code=code)
        self.name = name


class ModelCallError(AutomixError):
    """A chat model that failed to answer.

    Attributes:
        model: the model's label.
        stage: what it was asked for (``small_answer``, ``verify``, ``large_answer``).
        status: the HTTP status of the provider, where there was one.
        retryable: whether the same call may succeed later.
        calls: all model calls of the question that it ended (`automix_graph.records.Call`), the failed ones included;
            empty where it ended none.
    """

    usual_code = "model-call"

    def __init__(self, message: str, *, model: str, stage: str, status: int | None, retryable: bool) -> None:
        super().__init__(message)
        self.model = model
        self.stage = stage
        self.status = status
        self.retryable = retryable
        self.calls: tuple[Any, ...] = ()


class LimitReachedError(AutomixError):
    """A question that has come to one of its limits.

    Attributes:
        limit: which: ``"cost"``, ``"calls"``, ``"seconds"`` or ``"node_seconds"``.
        made: whether a call was made and given up; False where none was made.
        ceiling: the number that the limit is; None where it is not known.
    """

    usual_code = "limit-reached"

    def __init__(self, message: str, *, limit: str, made: bool, ceiling: float | None = None) -> None:
        super().__init__(message)
        self.limit = limit
        self.made = made
        self.ceiling = ceiling

    @classmethod
    def of(cls, limit: str, ceiling: float | None, *, made: bool = False) -> Self:
        """Return the error of a limit.

        Example:
            >>> str(LimitReachedError.of("calls", 3))
            'the limit of the question is reached: max_calls=3'
        """
        message = f"the limit of the question is reached: max_{limit}={ceiling}"
        return cls(message, limit=limit, made=made, ceiling=ceiling)


class StoreError(AutomixError):
    """A retrieval store that cannot be opened, read or written.

    Attributes:
        path: the folder of the store, where it has one.
    """

    usual_code = "store-damaged"

    def __init__(self, message: str, *, path: str | None = None, code: Code | None = None) -> None:
        super().__init__(message, code=code)
        self.path = path
