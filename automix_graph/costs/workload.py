"""How much is read and written for one question, in tokens.

The numbers are means over questions, and come from whoever plans. Where records are given, ``automix plan`` takes the
answers from what providers reported, and the context from what they reported of the small model's prompts, less the
question and the instructions: the question is as long as an option says, and the length of the instructions is an
estimate. All that a judge reads and writes is assumed. This module knows no price.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from automix_graph.errors import ConfigurationError

if TYPE_CHECKING:
    from automix_graph.prompts import Prompts


@dataclass(frozen=True, kw_only=True)
class PromptTokens:
    """Tokens of the constant parts of the prompts: all but context, question and the answer that is judged.

    Attributes:
        answer: of the prompt for an answer that shares nothing with other prompts.
        verify: of the prompt for a verdict that shares nothing with other prompts, examples included.
        shared: what stands first in the prompts of a model that judges and answers, examples included.
        shared_answer: what follows the question in such a prompt, for an answer.
        shared_verify: what follows the question in such a prompt, for a verdict.

    Raises:
        ConfigurationError: a number is no whole number of tokens.

    Example:
        >>> from automix_graph.prompts import load_prompts
        >>> tokens = PromptTokens.of(load_prompts("en"), count=lambda text: len(text.split()))
        >>> tokens.shared_answer < tokens.answer < tokens.shared
        True
    """

    answer: int
    verify: int
    shared: int
    shared_answer: int
    shared_verify: int

    def __post_init__(self) -> None:
        _check_counts(self, [field.name for field in dataclasses.fields(self)])

    @classmethod
    def of(cls, prompts: Prompts, count: Callable[[str], int]) -> Self:
        """Return the tokens of loaded prompts, with short verdicts.

        Args:
            prompts: in any layout.
            count: from a text to its tokens.
        """
        document, shared = prompts.in_layout("document"), prompts.in_layout("shared")
        *first, answer = [turn.text for turn in shared.answer("", ())]
        verify = shared.verify("", (), "")[-1].text
        common = _common_beginning(answer, verify)
        return cls(
            answer=sum(count(turn.text) for turn in document.answer("", ())),
            verify=sum(count(turn.text) for turn in document.verify("", (), "")),
            shared=sum(map(count, [*first, common])),
            shared_answer=count(answer.removeprefix(common)),
            shared_verify=count(verify.removeprefix(common)),
        )


@dataclass(frozen=True, kw_only=True)
class Workload:
    """What one question makes the models read and write, in tokens, on average.

    Attributes:
        context: the passages, as a prompt shows them.
        question: the question.
        small_answer: what the small model writes, hidden reasoning included.
        large_answer: what the large model writes, hidden reasoning included.
        prompts: the constant parts of the prompts.
        evidence: what a judge reads of the context that reads the evidence alone (at most the context); None leaves
            such judges out.
        votes: how many verdicts a vote draws.
        verdict: what a judge writes for a verdict of one word.
        reason: what a judge writes for a reason and a verdict.
        hidden: what a judge reasons silently before each of its judgements; hundreds, for models that do.
        cacheable: the shortest beginning of a prompt that the judge's provider caches: 1,024 for OpenAI's models, 512
            to 4,096 elsewhere, 0 for servers of your own.
        votes_in_one_request: whether the judge's provider gives several replies to one prompt that is charged once.

    Raises:
        ConfigurationError: a number is no whole number of tokens, or there are no votes.

    Example:
        >>> prompts = PromptTokens(answer=100, verify=900, shared=800, shared_answer=10, shared_verify=50)
        >>> Workload(context=3000, question=30, small_answer=60, large_answer=80, prompts=prompts).votes
        8
    """

    context: int
    question: int
    small_answer: int
    large_answer: int
    prompts: PromptTokens
    evidence: int | None = None
    votes: int = 8
    verdict: int = 2
    reason: int = 60
    hidden: int = 0
    cacheable: int = 1024
    votes_in_one_request: bool = True

    def __post_init__(self) -> None:
        others = {"prompts", "votes", "votes_in_one_request"} | ({"evidence"} if self.evidence is None else set())
        _check_counts(self, [field.name for field in dataclasses.fields(self) if field.name not in others])
        if isinstance(self.votes, bool) or not isinstance(self.votes, int) or self.votes < 1:
            raise ConfigurationError(f"votes is {self.votes!r}; use a whole number, one or more")


def _common_beginning(one: str, other: str) -> str:
    same = itertools.takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False))
    return "".join(character for character, _ in same)


def _check_counts(counts: PromptTokens | Workload, names: Iterable[str]) -> None:
    for name in names:
        value = getattr(counts, name)
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise ConfigurationError(f"{name} is {value!r}; use a whole number of tokens, zero or more")
