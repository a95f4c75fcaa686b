"""What verifiers share whose judge writes its decision: how long a reply may be, and what is read off it.

Confidence is 1 for CORRECT and 0 for INCORRECT: a written decision says no more.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, Final, Literal

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage

from automix_graph.errors import ConfigurationError
from automix_graph.models.calling import Attempt
from automix_graph.prompts import DecisionWords
from automix_graph.records import Verdict, Verification
from automix_graph.verdicts import parse_verdict
from automix_graph.verification.one_call import OneCall
from automix_graph.verification.prompting import judge_messages
from automix_graph.verification.verifier import Case, failed

WrittenForm = Literal["short", "reasoned"]
"""A decision alone, or a reason and then the decision."""

MaxTokens = int | None | Literal["auto"]
"""Cap on a reply in tokens; None sends none, ``"auto"`` the one of the form unless it would do harm."""

AUTO_MAX_TOKENS: Final[Mapping[WrittenForm, int]] = {"short": 16, "reasoned": 512}
"""A decision is one sentence; a reason is a few of them, and one that goes on and on is no reason."""

_OTHER_CAPS: Final = frozenset({"num_predict", "max_output_tokens", "max_new_tokens"})
"""What providers call the cap that know no ``max_tokens``, and fail where a call names it."""


_SHORT: Final = 64
"""Characters of a reply that holds a decision and nothing else."""


@dataclass(frozen=True, kw_only=True)
class WrittenVerdict(OneCall):
    """Ask a model once for a decision in words.

    Attributes:
        max_tokens: cap on the reply, in tokens.

    Raises:
        ConfigurationError: the cap is none.
    """

    max_tokens: MaxTokens = "auto"

    def __post_init__(self) -> None:
        check_max_tokens(self.max_tokens)
        super().__post_init__()

    @property
    @abstractmethod
    def _form(self) -> WrittenForm:
        """What the prompt asks for."""

    @cached_property
    def _options(self) -> dict[str, Any]:
        return capped(self.model.model, self.max_tokens, self._form)

    def _messages(self, case: Case) -> list[BaseMessage]:
        return judge_messages(self.prompt, case, self._form)

    def _read(self, case: Case, attempt: Attempt, message: AIMessage) -> Verification:
        verdict, reason = read_decision(attempt, case.prompts.words, self._options)
        if reason is not None:
            return failed(self.method, reason)
        confidence = 1.0 if verdict is Verdict.CORRECT else 0.0
        return Verification(method=self.method, verdict=verdict, confidence=confidence, verdicts=(verdict,))


def check_max_tokens(max_tokens: object) -> None:
    """Refuse what is no cap.

    Raises:
        ConfigurationError: it is neither a number of tokens, nor None, nor ``"auto"``.
    """
    number = isinstance(max_tokens, int) and not isinstance(max_tokens, bool) and max_tokens > 0
    if not number and max_tokens is not None and max_tokens != "auto":
        raise ConfigurationError(
            f"max_tokens is {max_tokens!r}; use a number of tokens above 0, None for no cap, or 'auto'",
            code="bad-verifier",
        )


def capped(model: BaseChatModel, max_tokens: MaxTokens, form: WrittenForm) -> dict[str, Any]:
    """Return the option that caps a reply; none where there is to be no cap.

    By itself, no cap is sent to a model that reasons before it writes (its reasoning would use the cap up), as far as
    LangChain knows that about it, nor to one whose provider calls the cap otherwise.
    """
    if max_tokens is None:
        return {}
    if max_tokens != "auto":
        return {"max_tokens": max_tokens}
    reasons = (model.profile or {}).get("reasoning_output", False)
    return {} if reasons or _OTHER_CAPS & type(model).model_fields.keys() else {"max_tokens": AUTO_MAX_TOKENS[form]}


def read_decision(
    attempt: Attempt, words: DecisionWords, options: Mapping[str, Any]
) -> tuple[Verdict, None] | tuple[Literal[Verdict.UNPARSED], str]:
    """Return the decision that a judge wrote; or UNPARSED, and why there is none.

    Args:
        attempt: the call.
        words: of decisions in the language of the prompt.
        options: of the call, for the cap.
    """
    if attempt.message is None:
        return Verdict.UNPARSED, f"the judge failed: {attempt.call.error}"
    if attempt.cut_off:
        return Verdict.UNPARSED, _cut_off(attempt, options)
    verdict = _said(attempt.text, words)
    if verdict is Verdict.UNPARSED:
        return Verdict.UNPARSED, "the judge's reply holds no decision"
    return verdict, None


def _said(text: str, words: DecisionWords) -> Verdict:
    parse = _parsed if len(text) <= _SHORT else _parsed.__wrapped__
    return parse(text, words.whole_decisions)


@lru_cache(maxsize=1024)
def _parsed(text: str, decisions: tuple[tuple[str, Verdict], ...]) -> Verdict:
    """Judges that only write a decision write the same few, and reading one takes longer than all else around it."""
    return parse_verdict(text, dict(decisions))


def _cut_off(attempt: Attempt, options: Mapping[str, Any]) -> str:
    if attempt.withheld:
        return "the judge's reply was cut off by the provider's content filter"
    cap = options.get("max_tokens")
    if cap is None:
        return "the judge's reply was cut off at the longest that its model or server allows"
    return (
        f"the judge's reply was cut off: it reached the cap of max_tokens={cap}; a judge that reasons before it writes "
        "needs max_tokens=None"
    )
