"""A verifier that shows another verifier only a part of the passages, and has the record say which.

What is chosen is up to the two kinds of it; this module knows neither sentences nor embeddings. The other verifier
learns nothing of it: it gets a case with the passages that are left.
"""

from __future__ import annotations

import asyncio
import dataclasses
import logging
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Final, Literal

from langchain_core.runnables import RunnableConfig

from automix_graph.errors import ConfigurationError
from automix_graph.models.calling import NamedModel, is_failure, reason_of
from automix_graph.prompts import shown_context
from automix_graph.records import Passage, Reading
from automix_graph.verification.asking import aask, ask
from automix_graph.verification.members import check_member
from automix_graph.verification.reading.tokens import TokenCounter, own_counter
from automix_graph.verification.verifier import Case, Judgement, Verifier, failed, models_of, reads_logprobs

GAP: Final = " … "
"""What stands in the context for text that is left out."""

_log: Final = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Excerpt:
    """What is read of a case's passages.

    Attributes:
        passages: those of which something is read, in their order, each with no more than that.
        positions: of these passages in the case.
        cut: those of the positions whose passage is not whole.
        tokens: of the context that they make.
    """

    passages: tuple[Passage, ...]
    positions: tuple[int, ...]
    cut: tuple[int, ...]
    tokens: int

    def of(self, case: Case) -> Case:
        """Return the case with nothing else to read."""
        return dataclasses.replace(case, passages=self.passages)


@dataclass(frozen=True, kw_only=True)
class ExcerptVerifier(ABC):
    """Let a verifier judge from a part of the passages, where they are longer than a budget.

    Attributes:
        verifier: who judges.
        max_context_tokens: tokens of the context at most, as the prompt shows it; examples, question and answer are
            not counted and never shortened.
        count_tokens: from a text to its tokens. None asks the verifier's first model if it runs on this machine, and
            else takes `approximate_tokens`.

    Raises:
        ConfigurationError: the verifier is none, the budget is below 1, or the counter cannot be called.
    """

    kind: ClassVar[Literal["budget", "evidence"]]

    verifier: Verifier
    max_context_tokens: int
    count_tokens: TokenCounter | None = None

    def __post_init__(self) -> None:
        check_member("verifier", self.verifier)
        if type(self.max_context_tokens) is not int or self.max_context_tokens < 1:
            raise ConfigurationError(
                f"max_context_tokens is {self.max_context_tokens!r}; give a whole number of tokens, at least 1",
                code="bad-verifier",
            )
        if self.count_tokens is not None and not callable(self.count_tokens):
            raise ConfigurationError(
                f"count_tokens is {self.count_tokens!r}; give a function from a text to its number of tokens, or None",
                code="bad-verifier",
            )

    @property
    def method(self) -> str:
        """The method of the verifier that judges; what it read is told by `Verification.reading`."""
        return self.verifier.method

    @property
    def models(self) -> tuple[NamedModel, ...] | None:
        """The models of the verifier that judges; None where it does not say."""
        return models_of(self.verifier)

    @property
    def reads_logprobs(self) -> bool:
        """Whether the verifier that judges reads the log-probabilities of the draft's tokens."""
        return reads_logprobs(self.verifier)

    def verify(self, case: Case, config: RunnableConfig | None = None) -> Judgement:
        """Choose what is read, and have the answer judged from it."""
        try:
            excerpt = self._choose(case)
        except Exception as error:
            return self._unread(case, error)
        if excerpt is None:
            return ask(self.verifier, case, config)
        return self._told(case, excerpt, ask(self.verifier, excerpt.of(case), config))

    async def averify(self, case: Case, config: RunnableConfig | None = None) -> Judgement:
        """Choose what is read, and have the answer judged from it, asynchronously."""
        try:
            excerpt = await self._achoose(case)
        except Exception as error:
            return self._unread(case, error)
        if excerpt is None:
            return await aask(self.verifier, case, config)
        return self._told(case, excerpt, await aask(self.verifier, excerpt.of(case), config))

    @abstractmethod
    def _choose(self, case: Case) -> Excerpt | None:
        """Return what is read of the passages; None where that is all, as it is.

        Raises:
            ConfigurationError: nothing fits.
        """

    async def _achoose(self, case: Case) -> Excerpt | None:
        # Counting may ask a server, so it is kept out of the event loop.
        return await asyncio.to_thread(self._choose, case)

    def _excerpt(self, case: Case, texts: Mapping[int, str]) -> Excerpt:
        """Return an excerpt of what is read of each passage, by position."""
        read = tuple(dataclasses.replace(case.passages[position], text=texts[position]) for position in sorted(texts))
        return Excerpt(
            passages=read,
            positions=tuple(sorted(texts)),
            cut=tuple(position for position in sorted(texts) if texts[position] != case.passages[position].text),
            tokens=self._count(shown_context(read)),
        )

    def _fits(self, passages: Sequence[Passage]) -> bool:
        return self._count(shown_context(passages)) <= self.max_context_tokens

    @cached_property
    def _count(self) -> TokenCounter:
        return self.count_tokens or own_counter(self.verifier)

    def _nothing_fits(self) -> ConfigurationError:
        return ConfigurationError(
            f"max_context_tokens={self.max_context_tokens!r} leaves room for nothing of the context; allow more",
            code="bad-verifier",
        )

    def _told(self, case: Case, excerpt: Excerpt, judgement: Judgement) -> Judgement:
        """Return the judgement with what was read, in positions of the whole case."""
        found = judgement.verification
        kind, positions, cut, tokens = self.kind, excerpt.positions, set(excerpt.cut), excerpt.tokens
        if (inner := found.reading) is not None:
            # The verifier inside left out more, and counted positions among what it was given.
            kind, tokens = inner.kind, inner.tokens
            cut |= {positions[position] for position in inner.cut}
            positions = tuple(positions[position] for position in inner.passages)
        reading = Reading(
            kind=kind,
            passages=positions,
            omitted=tuple(position for position in range(len(case.passages)) if position not in positions),
            tokens=tokens,
            cut=tuple(sorted(cut & set(positions))),
        )
        return dataclasses.replace(judgement, verification=dataclasses.replace(found, reading=reading))

    def _unread(self, case: Case, error: Exception) -> Judgement:
        """Return the judgement of a case of which nothing was read, or raise again what means no failure."""
        if not is_failure(error):
            raise error
        _log.debug("verifier %s could not choose what to read", self.method, exc_info=error)
        verification = failed(self.method, f"choosing what the judge reads failed with {reason_of(error)}")
        unread = Reading(kind=self.kind, passages=(), omitted=tuple(range(len(case.passages))), tokens=0)
        return Judgement(verification=dataclasses.replace(verification, reading=unread))
