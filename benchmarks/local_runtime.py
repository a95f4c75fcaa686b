"""Measure local models as the package runs them, against what llama.cpp itself needs for the same tokens.

One question at a time: our path (LangChain's client, HTTP, the chat template) beside the server's raw completion of the
same tokens, in turn in one run; the raw completion is what llama.cpp's own benchmark would time, for its wheel brings
no ``llama-bench``. Beside both stands what the server says it computed. Several at a time: whether its batching
makes four questions faster together than one after the other. Threads: generation by the number of them, which is what
the rule in ``models/cores.py`` rests on. Every prompt is new, so no cache serves it::

    python benchmarks/local_runtime.py --threads 1 2 --out local.json
"""

from __future__ import annotations

import argparse
import dataclasses
import itertools
import json
import os
import statistics
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import httpx
from langchain_core.messages import HumanMessage
from machine import circumstances
from rich.console import Console
from sides import in_turn
from targets import at_most

from automix_graph.config import DEFAULT_LARGE, DEFAULT_SMALL
from automix_graph.models import ServerSettings, resolve_chat_model
from automix_graph.models.cores import available_cores
from automix_graph.models.local_chat import LocalChatModel

TARGET: Final = 1.15
_SENTENCE: Final = "The bridge over the river was opened to traffic in May by the mayor of the town after nine years"


class Model:
    """A local model, and questions for it that it has not seen.

    Args:
        spec: its name.
        settings: how it is run.
        prompt_words: of a question, about as many tokens.
        tokens: that it writes, never fewer.
    """

    def __init__(self, spec: str, settings: ServerSettings, *, prompt_words: int, tokens: int) -> None:
        model = resolve_chat_model(spec, server=settings)
        assert isinstance(model, LocalChatModel)
        self.chat = model
        self.tokens = tokens
        self._prompt_words = prompt_words
        self._asked = 0
        base = str(model.openai_api_base).removesuffix("/v1")
        key = model.openai_api_key.get_secret_value()  # type: ignore[union-attr]
        headers = {"Authorization": f"Bearer {key}"}
        self._raw = httpx.Client(base_url=base, headers=headers, timeout=None, trust_env=False)

    def question(self) -> str:
        """Return a new question; its first word is a number, so that no prompt begins like another."""
        self._asked += 1
        words = itertools.islice(itertools.cycle(_SENTENCE.split()), self._prompt_words)
        return " ".join([f"{os.getpid()}{self._asked}", *words])

    def ours(self) -> float:
        """Ask through LangChain; return the seconds."""
        began = time.perf_counter()
        self.chat.invoke(self.question(), max_tokens=self.tokens, extra_body={"ignore_eos": True})
        return time.perf_counter() - began

    def raw(self) -> float:
        """Have the server complete the tokens of such a prompt; return the seconds."""
        return self.raw_timed()[0]

    def raw_timed(self) -> tuple[float, dict[str, Any]]:
        """Return the seconds of a raw completion, and what the server says of it."""
        asked = self.chat._get_request_payload([HumanMessage(self.question())])["messages"]
        prompt = self._post("/apply-template", {"messages": asked})["prompt"]
        tokens = self._post("/tokenize", {"content": prompt, "add_special": True, "parse_special": True})["tokens"]
        request = {"prompt": tokens, "n_predict": self.tokens, "ignore_eos": True, "temperature": 0}
        began = time.perf_counter()
        reply = self._post("/completion", request)
        return time.perf_counter() - began, reply["timings"]

    def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        response = self._raw.post(path, json=body)
        response.raise_for_status()
        found: dict[str, Any] = response.json()
        return found

    def together(self, questions: int, at_once: int) -> float:
        """Return the seconds that so many questions take, so many at a time."""
        began = time.perf_counter()
        with ThreadPoolExecutor(at_once) as pool:
            list(pool.map(lambda _: self.ours(), range(questions)))
        return time.perf_counter() - began


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark."""
    options = _parser().parse_args(arguments)
    models = {
        spec: Model(spec, ServerSettings(), prompt_words=options.prompt_words, tokens=options.tokens)
        for spec in options.models
    }
    rows = [{"model": spec, **_measured(model, options)} for spec, model in models.items()]
    result: dict[str, Any] = {
        **circumstances(__file__),
        "settings": dataclasses.asdict(ServerSettings()) | {"threads": available_cores()},
        "prompt_words": options.prompt_words,
        "tokens": options.tokens,
        "models": rows,
        "servers": _servers(),
        "threads": _threads(options) if options.threads else {},
    }
    result["targets"] = [
        at_most(
            f"one question at a time, {row['model']}",
            ours=f"{row['ours']:.2f} s",
            peer=f"{row['peer']:.2f} s, llama.cpp's raw completion",
            ratio=row["ratio"],
            allowed=TARGET,
        )
        for row in rows
    ]
    Console().print_json(json.dumps(result))
    if options.out:
        options.out.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", nargs="+", default=[DEFAULT_SMALL, DEFAULT_LARGE])
    parser.add_argument("--rounds", type=int, default=7, help="of each comparison (default: %(default)s)")
    parser.add_argument("--prompt-words", type=int, default=350, help="about as many tokens (default: %(default)s)")
    parser.add_argument("--tokens", type=int, default=64, help="to be written (default: %(default)s)")
    parser.add_argument("--questions", type=int, default=8, help="asked at one time or not (default: %(default)s)")
    parser.add_argument("--threads", type=int, nargs="*", help="also measure these numbers of threads, first model")
    parser.add_argument("--out", type=Path, help="also write the result to this file, as JSON")
    return parser


def _measured(model: Model, options: argparse.Namespace) -> dict[str, Any]:
    found = in_turn(model.ours, model.raw, rounds=options.rounds)
    timings = model.raw_timed()[1]
    alone = model.together(options.questions, 1)
    four = model.together(options.questions, 4)
    return {
        **dataclasses.asdict(found),
        "server_says": timings,
        "questions": options.questions,
        "seconds_one_by_one": alone,
        "seconds_four_at_once": four,
        "speedup_of_four": alone / four,
    }


def _threads(options: argparse.Namespace) -> dict[str, dict[str, float]]:
    """Return tokens a second by the number of threads, as the server tells."""
    found = {}
    for threads in options.threads:
        settings = ServerSettings(threads=threads, parallel=1)
        model = Model(options.models[0], settings, prompt_words=options.prompt_words, tokens=options.tokens)
        timings = [model.raw_timed()[1] for _ in range(options.rounds)]
        found[str(threads)] = {
            "read": statistics.median(one["prompt_per_second"] for one in timings),
            "written": statistics.median(one["predicted_per_second"] for one in timings),
        }
    return found


def _servers() -> list[dict[str, str]]:
    """Return the memory of each server that this process has started, resident and swapped out (Linux)."""
    told = []
    for folder in Path("/proc/self/task").glob("*/children"):
        for number in folder.read_text().split():
            lines = Path(f"/proc/{number}/status").read_text().splitlines()
            fields = dict(line.split(":", 1) for line in lines if ":" in line)
            told.append({name: fields[name].strip() for name in ("VmRSS", "VmSwap") if name in fields})
    return told


if __name__ == "__main__":
    sys.exit(main())
