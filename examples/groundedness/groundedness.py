"""A checker of your own as the verifier: is every sentence of the answer grounded in the documents?

Run it with ``python examples/groundedness/groundedness.py``. The two answering models are scripted, so all it needs is
an embedding model: the embedded one (``automix models pull all-minilm-l6-v2``), or what ``AUTOMIX_EMBEDDING`` names.

A verifier function gets a dict with ``question``, ``context``, ``passages``, ``answer`` and ``language``, and returns
its confidence in [0, 1]. This one compares each sentence of the answer with each sentence of the passages. An answer is
as well grounded as its worst sentence, so one invention among true sentences counts. Similarity is not entailment: "in
May" and "not in May" lie close together. Where that matters, plug in a model of natural language inference in the same
way. The following needs ``transformers`` and a cross-encoder, and is not run here:

.. code-block:: python

    from transformers import pipeline

    nli = pipeline("text-classification", model="cross-encoder/nli-deberta-v3-base", top_k=None)

    def entailed(case):
        pairs = [{"text": case["context"], "text_pair": claim} for claim in sentences(case["answer"])]
        scores = [{found["label"]: found["score"] for found in labels} for labels in nli(pairs)]
        return min(score["entailment"] for score in scores)

    create_automix(..., verifier=FunctionVerifier(function=entailed, threshold=0.5))
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from langchain_core.embeddings import Embeddings

from automix_graph.graph import create_automix
from automix_graph.models import load_embeddings
from automix_graph.testing import FunctionChatModel, StaticRetriever
from automix_graph.verification.function import FunctionVerifier

_END_OF_SENTENCE: Final = re.compile(r"(?<=[.!?])\s+|(?<=[。！？])|\n+")

PASSAGES: Final = [
    "The observatory was opened in May 1974. Its mirror is four metres wide.",
    "The observatory stands on a hill above the village of Altenau.",
]
DRAFTS: Final = {
    "When was the observatory opened?": "The observatory was opened in May 1974.",
    "Who paid for it?": "The observatory was opened in May 1974. A wealthy brewer from Hamburg donated the money.",
}


def sentences(text: str) -> list[str]:
    """Return the sentences of a text."""
    return [sentence for part in _END_OF_SENTENCE.split(text) if (sentence := part.strip())]


@dataclass(frozen=True, kw_only=True)
class Groundedness:
    """Score an answer by its worst sentence: the cosine to the sentence of the passages that is most like it.

    Attributes:
        embeddings: compares the sentences.
    """

    embeddings: Embeddings

    def __call__(self, case: dict[str, Any]) -> float:
        """Return the confidence in [0, 1] that the answer is grounded."""
        claims = sentences(case["answer"])
        evidence = [sentence for passage in case["passages"] for sentence in sentences(passage)]
        if not claims or not evidence:
            return 0.0
        cosines = self._unit_vectors(claims) @ self._unit_vectors(evidence).T
        return float(np.clip(cosines.max(axis=1).min(), 0.0, 1.0))

    def _unit_vectors(self, texts: list[str]) -> np.ndarray[Any, np.dtype[np.float64]]:
        vectors = np.array(self.embeddings.embed_documents(texts), dtype=float)
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        return vectors / np.where(lengths == 0.0, 1.0, lengths)


def small_answer(prompt: str) -> str:
    """Return what the scripted small model answers: a sentence of the passages, or that and an invention."""
    return next(draft for question, draft in DRAFTS.items() if question in prompt)


def main(embeddings: Embeddings | None = None) -> list[dict[str, Any]]:
    """Ask both questions and show where each ended.

    Args:
        embeddings: compares the sentences; None takes the embedded model.
    """
    graph = create_automix(
        small=FunctionChatModel(small_answer, label="small"),
        large=FunctionChatModel(lambda prompt: "The documents do not say who paid for it.", label="large"),
        retriever=StaticRetriever(PASSAGES),
        # Measure the threshold for your own embedding model and your own answers.
        verifier=FunctionVerifier(
            function=Groundedness(embeddings=embeddings or load_embeddings()), name="groundedness", threshold=0.7
        ),
    )
    results = [graph.invoke({"question": question}) for question in DRAFTS]
    for question, result in zip(DRAFTS, results, strict=True):
        print(f"{question} [{result['route']}, groundedness {result['confidence']:.2f}] {result['answer']}")
    return results


if __name__ == "__main__":
    main()
