"""A chat model with its label, and with what is done when it fails."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field

from langchain_core.language_models import BaseChatModel

from automix_graph.errors import ConfigurationError
from automix_graph.models.breaker import Breaker
from automix_graph.models.chat import model_label, resolve_chat_model, retries_itself
from automix_graph.models.replies import LONGEST_REPLY
from automix_graph.models.retrying import ONCE, Retries


@dataclass(frozen=True, kw_only=True)
class NamedModel:
    """A chat model and the label under which it is charged.

    Attributes:
        label: e.g. ``"openai:gpt-5-mini"`` or ``"local:smollm2-135m-instruct"``.
        model: the chat model.
        retries: what is done when it fails for a reason that may pass; nothing if nothing is said.
        fallbacks: who is asked for an answer, in this order, when it still fails for such a reason, or when too many
            calls have failed for it to be asked. They are not asked to judge in its place.
        longest_reply: in characters; a longer one is a failure.
        breaker: the circuit breaker of the model; made from `retries` if nothing is said.

    Raises:
        ConfigurationError: a fallback has fallbacks, or the longest reply is no number.
    """

    label: str
    model: BaseChatModel
    retries: Retries = ONCE
    fallbacks: tuple[NamedModel, ...] = ()
    longest_reply: int = LONGEST_REPLY
    breaker: Breaker | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        nested = [fallback.label for fallback in self.fallbacks if fallback.fallbacks]
        if nested:
            raise ConfigurationError(
                f"the fallbacks {nested} of {self.label} have fallbacks of their own; list all of them with it"
            )
        if isinstance(self.longest_reply, bool) or not isinstance(self.longest_reply, int) or self.longest_reply < 1:
            raise ConfigurationError(
                f"longest_reply of {self.label} is {self.longest_reply!r}; use a number of characters above 0"
            )
        if self.breaker is None:
            object.__setattr__(self, "breaker", self.retries.breaker())


def named(
    model: str | BaseChatModel | NamedModel,
    *,
    retries: Retries | None = None,
    fallbacks: Sequence[str | BaseChatModel | NamedModel] = (),
) -> NamedModel:
    """Return a model with its label, and with what is done when it fails.

    Calls are retried in one place only. A model that is made here from its name retries nothing itself, and its calls
    are retried as `retries` say. A chat model that the caller made is asked once, unless the caller says otherwise; and
    once whatever is said where it retries by itself (its ``max_retries`` is not 0), since retries multiply.

    Args:
        model: a chat model or the name of one; one with its label is taken as it is, but for the fallbacks.
        retries: None: `Retries` for a model made from its name, none for others.
        fallbacks: who answers where the model fails for a reason that may pass, in order; under the same `retries`.

    Raises:
        ConfigurationError: it is neither a chat model nor the name of one.

    Example:
        >>> from automix_graph.testing import ScriptedChatModel
        >>> found = named(ScriptedChatModel([], label="mine"), retries=Retries(attempts=2))
        >>> found.label, found.retries.attempts
        ('mine', 2)
    """
    others = tuple(named(fallback, retries=retries) for fallback in fallbacks)
    if isinstance(model, NamedModel):
        return dataclasses.replace(model, fallbacks=others) if others else model
    resolved = resolve_chat_model(model, retries=False)
    if retries is None:
        retries = Retries() if isinstance(model, str) else ONCE
    if retries_itself(resolved):
        retries = dataclasses.replace(retries, attempts=1)
    return NamedModel(label=model_label(model), model=resolved, retries=retries, fallbacks=others)
