"""What a single call may set: through LangGraph's ``context``, or ``config["configurable"]`` where it cannot arrive."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Final

from langchain_core.runnables import RunnableConfig
from langgraph.runtime import get_runtime

from automix_graph.errors import ConfigurationError
from automix_graph.policies import Policy, Threshold


@dataclass(frozen=True, kw_only=True)
class AutomixContext:
    """Settings of one call: ``graph.invoke(question, context=AutomixContext(threshold=0.8))``.

    LangServe and other doors without a context pass the same names in ``config["configurable"]``. A context of another
    type, such as that of a parent graph, sets nothing here.

    Attributes:
        threshold: keeps an answer if its confidence is at least this, in [0, 1], in place of the graph's policy.
        language: of the prompts, in place of that of the question; one of those that the graph has.

    Raises:
        ConfigurationError: a setting lies outside its range.
    """

    threshold: float | None = None
    language: str | None = None

    def __post_init__(self) -> None:
        if self.threshold is not None and not _is_share(self.threshold):
            raise ConfigurationError(f"threshold is {self.threshold!r}; use a confidence in [0, 1], or None")
        if self.language is not None and not isinstance(self.language, str):
            raise ConfigurationError(
                f"language is {self.language!r}; give the name of one, such as 'en', or None", code="unknown-language"
            )

    def policy(self, usual: Policy) -> Policy:
        """Return the policy that this call follows."""
        return usual if self.threshold is None else Threshold(self.threshold)


def _context() -> object:
    try:
        return getattr(get_runtime(), "context", None)
    except (KeyError, RuntimeError):  # a node that runs by itself
        return None


def _is_share(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0.0 <= value <= 1.0


_NAMES: Final = tuple(field.name for field in dataclasses.fields(AutomixContext))
_NOTHING_SET: Final = AutomixContext()


def settings_of(config: RunnableConfig) -> AutomixContext:
    """Return what a call sets: its context, else what its configuration holds under the same names.

    Raises:
        ConfigurationError: a setting cannot be used.
    """
    context = _context()
    if isinstance(context, AutomixContext):
        return context
    configurable = config.get("configurable", {})
    given = {name: configurable[name] for name in _NAMES if name in configurable}
    return AutomixContext(**given) if given else _NOTHING_SET
