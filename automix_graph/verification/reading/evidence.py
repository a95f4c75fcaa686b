"""The evidence only: of a long context, the judge reads the sentences that bear on the question and the answer.

What an embedding call costs is not charged: LangChain's embedding models do not tell their tokens.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final, Literal

import numpy as np
from langchain_core.embeddings import Embeddings

from automix_graph.errors import ConfigurationError
from automix_graph.records import Passage
from automix_graph.verification.reading.excerpt import GAP, Excerpt, ExcerptVerifier
from automix_graph.verification.reading.fitting import cut_to_fit, largest
from automix_graph.verification.reading.ranking import bearing, with_neighbours
from automix_graph.verification.reading.sentences import sentences
from automix_graph.verification.verifier import Case

DEFAULT_EVIDENCE_TOKENS: Final = 512
"""About twenty English sentences: enough for a question about a few facts."""

_MORE_TRIES: Final = 8
"""Sentences after the first that does not fit that may still fill the budget, because they are shorter."""


@dataclass(frozen=True, kw_only=True)
class _Sentence:
    passage: int
    number: int
    start: int
    end: int
    text: str


@dataclass(frozen=True, kw_only=True)
class EvidenceOnly(ExcerptVerifier):
    """Have an answer judged from the sentences that bear on the question and the answer, as many as fit into a budget.

    Sentences are ranked by `bearing`, and a good one lends some of its score to those beside it. They are shown in the
    order of the context, each under its passage; `` … `` stands for what is left out between them. A context that fits
    is read as it is.

    Attributes:
        verifier: who judges.
        embeddings: compares sentences with the question and the answer, all of them in one call.
        max_context_tokens: tokens of the context at most, as the prompt shows it.
        count_tokens: from a text to its tokens. None asks the verifier's first model if it runs on this machine, and
            else takes `approximate_tokens`.

    Raises:
        ConfigurationError: the verifier or the embedding model is none, the budget is below 1, or the counter cannot be
            called.

    Example:
        >>> from automix_graph.prompts import load_prompts
        >>> from automix_graph.records import Passage
        >>> from automix_graph.testing import HashEmbeddings, ScriptedChatModel
        >>> from automix_graph.verification import ShortVerdict
        >>> judge = ScriptedChatModel(["Correct."])
        >>> verifier = EvidenceOnly(
        ...     verifier=ShortVerdict(judge=judge), embeddings=HashEmbeddings(), max_context_tokens=20
        ... )
        >>> text = "Rain fell on the hills. The museum opened in 1921. Later a bank moved in."
        >>> passages = (Passage(text=text),)
        >>> case = Case(question="When was it opened?", passages=passages, answer="1921", prompts=load_prompts("en"))
        >>> verifier.verify(case).verification.reading
        Reading(kind='evidence', passages=(0,), omitted=(), tokens=12, cut=(0,))
        >>> "Context: The museum opened in 1921." in judge.prompt_texts[0]
        True
    """

    kind: ClassVar[Literal["evidence"]] = "evidence"

    embeddings: Embeddings
    max_context_tokens: int = DEFAULT_EVIDENCE_TOKENS

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.embeddings, Embeddings):
            raise ConfigurationError(
                f"embeddings is {self.embeddings!r}; give a LangChain embedding model, such as "
                "load_embeddings('local:all-minilm-l6-v2')",
                code="bad-verifier",
            )

    def _choose(self, case: Case) -> Excerpt | None:
        if self._fits(case.passages):
            return None
        found = _sentences(case.passages)
        return self._best(case, found, self.embeddings.embed_documents(_embedded(case, found)))

    async def _achoose(self, case: Case) -> Excerpt | None:
        if await asyncio.to_thread(self._fits, case.passages):
            return None
        found = _sentences(case.passages)
        vectors = await self.embeddings.aembed_documents(_embedded(case, found))
        return await asyncio.to_thread(self._best, case, found, vectors)

    def _best(self, case: Case, found: Sequence[_Sentence], vectors: Sequence[Sequence[float]]) -> Excerpt:
        ranked = _ranked(case, found, vectors)
        if not ranked:
            raise self._nothing_fits()
        kept = largest(len(ranked), lambda number: self._fits(_shown(case, ranked[:number])))
        if not kept:
            best = ranked[0]
            cut = cut_to_fit(best.text, lambda text: self._fits((Passage(text=text),)))
            if not cut:
                raise self._nothing_fits()
            return self._excerpt(case, {best.passage: cut})
        chosen = ranked[:kept]
        for sentence in ranked[kept + 1 : kept + 1 + _MORE_TRIES]:
            if self._fits(_shown(case, [*chosen, sentence])):
                chosen.append(sentence)
        return self._excerpt(case, _texts(case.passages, chosen))


def _sentences(passages: Sequence[Passage]) -> list[_Sentence]:
    return [
        _Sentence(passage=position, number=number, start=span.start, end=span.end, text=passage.text[slice(*span)])
        for position, passage in enumerate(passages)
        for number, span in enumerate(sentences(passage.text))
    ]


def _embedded(case: Case, found: Sequence[_Sentence]) -> list[str]:
    return [*(sentence.text for sentence in found), case.question, case.answer]


def _ranked(case: Case, found: Sequence[_Sentence], vectors: Sequence[Sequence[float]]) -> list[_Sentence]:
    """Return the sentences, best first, and in the order of the context where they are equally good.

    Passages overlap, so a sentence may come twice. What was said already comes last.
    """
    scores = bearing([sentence.text for sentence in found], vectors, question=case.question, answer=case.answer)
    scores = with_neighbours(scores, [sentence.passage for sentence in found])
    best_first = [found[place] for place in np.argsort(-scores, kind="stable")]
    firsts = {sentence.text: sentence for sentence in reversed(best_first)}
    return sorted(best_first, key=lambda sentence: firsts[sentence.text] is not sentence)


def _shown(case: Case, chosen: Sequence[_Sentence]) -> tuple[Passage, ...]:
    return tuple(Passage(text=text) for text in _texts(case.passages, chosen).values())


def _texts(passages: Sequence[Passage], chosen: Iterable[_Sentence]) -> dict[int, str]:
    """Return the text of the chosen sentences by passage: neighbours as they stand, else a mark between."""
    texts: dict[int, str] = {}
    last: _Sentence | None = None
    for sentence in sorted(chosen, key=lambda sentence: (sentence.passage, sentence.number)):
        if last is None or last.passage != sentence.passage:
            texts[sentence.passage] = sentence.text
        elif last.number + 1 == sentence.number:
            texts[sentence.passage] += passages[sentence.passage].text[last.end : sentence.end]
        else:
            texts[sentence.passage] += GAP + sentence.text
        last = sentence
    return texts
