"""A cascade over two vLLM servers: the small and the large model each at an address of its own.

``python examples/vllm/app.py --index my-index`` reads the addresses from the environment (see the README), and serves
what ``automix serve`` serves. The large model judges by likelihood: it is asked for the log-probabilities of the draft,
as if it had written it, in one request (``prompt_logprobs``). A question that escalates then finds
its prompt in the prefix cache of that server.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from langchain_openai import ChatOpenAI

from automix_graph import FaissStore, Likelihood, Logistic, ModelTier, Threshold, create_automix, load_embeddings
from automix_graph.graph.build import CompiledGraph
from automix_graph.graph.parts import Retriever
from automix_graph.serving import ServingSettings, create_app
from automix_graph.serving.listening import LOOPBACK_HOSTS, run
from automix_graph.serving.readiness import model_check, retriever_check

THRESHOLD: Final = 0.5
"""Means something once a scale was fitted; without one, how probable right answers are depends on the large model."""


def endpoint(name: str, *, timeout: float) -> ChatOpenAI:
    """Return the model that ``VLLM_NAME_MODEL`` at ``VLLM_NAME_URL`` is; ``VLLM_API_KEY`` opens both servers.

    Args:
        name: ``SMALL`` or ``LARGE``.
        timeout: seconds for a request.
    """
    return ChatOpenAI(
        model=os.environ[f"VLLM_{name}_MODEL"],
        base_url=os.environ[f"VLLM_{name}_URL"],
        api_key=os.environ.get("VLLM_API_KEY", "none"),  # type: ignore[arg-type]  # pydantic makes a secret of it
        temperature=0,
        max_tokens=512,  # type: ignore[call-arg]  # its alias
        timeout=timeout,
        max_retries=2,
    )


def cascade(small: ChatOpenAI, large: ChatOpenAI, retriever: Retriever, *, scale: Path | None) -> CompiledGraph:
    """Return the graph.

    Args:
        small: answers first.
        large: judges, and answers where the draft is not good enough.
        retriever: fetches the passages.
        scale: file of the scale that `fit_logistic` fitted to the large model; None: the geometric mean.
    """
    judge = Likelihood(judge=large, scoring="prompt", scale=None if scale is None else Logistic.load(scale))
    return create_automix(
        tiers=[ModelTier(model=small, verifier=judge), large],
        retriever=retriever,
        policy=Threshold(THRESHOLD),
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until Ctrl-C, to this machine alone."""
    parser = argparse.ArgumentParser(description="Serve a cascade over two vLLM servers.")
    parser.add_argument("--index", type=Path, required=True, help="folder that 'automix index' wrote")
    parser.add_argument("--scale", type=Path, help="scale of the likelihood, fitted to the large model")
    parser.add_argument("--port", type=int, default=8000)
    given = parser.parse_args(arguments)
    small, large = endpoint("SMALL", timeout=30), endpoint("LARGE", timeout=60)
    with FaissStore.open(given.index, load_embeddings()) as store:
        retriever = store.as_retriever()
        app = create_app(
            cascade(small, large, retriever, scale=given.scale),
            settings=ServingSettings(allowed_hosts=LOOPBACK_HOSTS),
            checks={"index": retriever_check(retriever), "small": model_check(small), "large": model_check(large)},
        )
        run(app, host="127.0.0.1", port=given.port, grace_seconds=30)


if __name__ == "__main__":
    main()
