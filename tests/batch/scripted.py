"""Models, graphs and data sets for the tests of batches."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from automix_graph import create_automix
from automix_graph.graph.build import CompiledGraph
from automix_graph.testing import FunctionChatModel, StaticRetriever
from automix_graph.testing.chat_models import Reply, ScriptedReply

PRICES = {"small": (1, 1), "judge": (1, 1), "large": (1, 1)}
CALL = 110e-6
"""What a call costs at PRICES, in USD."""


def number_in(prompt: str) -> int:
    """Return the number of the last event that a prompt names."""
    return int(re.findall(r"event (\d+)", prompt)[-1])


def reply(text: str, seconds: float = 0.0) -> ScriptedReply:
    """Return a reply that reads 100 tokens and writes 10."""
    return ScriptedReply(text=text, usage=(100, 10), seconds=seconds)


def graph_of(
    small: Callable[[int], Reply] = lambda number: reply(f"small {number}"),
    judge: Callable[[int], Reply] = lambda number: reply("Incorrect" if number % 3 == 0 else "Correct"),
    large: Callable[[int], Reply] = lambda number: reply(f"large {number}"),
    *,
    prices: Any = PRICES,
    **options: Any,
) -> CompiledGraph:
    """Return a graph over functions of the number of an event; every third question escalates."""
    models = {
        label: FunctionChatModel(lambda prompt, say=say: say(number_in(prompt)), label=label)  # type: ignore[misc]
        for label, say in (("small", small), ("judge", judge), ("large", large))
    }
    return create_automix(
        small=models["small"],
        large=models["large"],
        verifier=models["judge"],
        retriever=StaticRetriever(["Events happen."]),
        prices=prices,
        **options,
    )


class Asked:
    """Counts questions by their number; some fail."""

    def __init__(self, *failing: int) -> None:
        self.numbers: list[int] = []
        self.failing = set(failing)

    def large(self, number: int) -> Any:
        return ConnectionError("down: a secret prompt") if number in self.failing else reply(f"large {number}")

    def small(self, number: int) -> Any:
        self.numbers.append(number)
        return ConnectionError("down") if number in self.failing else reply(f"small {number}")

    def graph(self, **values: Any) -> Any:
        return graph_of(self.small, large=self.large, **values)


def row(number: int) -> dict[str, Any]:
    """Return a row of a data set."""
    return {"id": number, "question": f"When was event {number}?"}


def write(path: Path, *rows: Any) -> Path:
    """Write a data set; texts are lines as they are."""
    lines = [one if isinstance(one, str) else json.dumps(one) for one in rows]
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def read(path: Path) -> list[dict[str, Any]]:
    """Return the rows of an output."""
    return [json.loads(line) for line in path.read_bytes().splitlines()]
