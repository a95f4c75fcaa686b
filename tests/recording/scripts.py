"""Models and data sets for the tests of recording."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from automix_graph.graph.all_tiers import AllTiers
from automix_graph.testing import FunctionChatModel
from automix_graph.testing.chat_models import Reply, ScriptedReply

PRICES = {"small": (1, 1), "judge": (1, 1), "large": (1, 1)}
MILLIONTH = 1e-6


def reply(text: str) -> ScriptedReply:
    """Return a reply that reads 100 tokens and writes 10: 110 millionths of a dollar at PRICES."""
    return ScriptedReply(text=text, usage=(100, 10))


class Counting:
    """A model's function that counts its calls."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.prompts: list[str] = []

    def __call__(self, prompt: str) -> Reply:
        self.prompts.append(prompt)
        return reply(self.text)


def tiers_of(
    small: Callable[[str], Reply] = lambda prompt: reply("June"),
    judge: Callable[[str], Reply] = lambda prompt: reply("Incorrect"),
    large: Callable[[str], Reply] = lambda prompt: reply("May"),
    **arguments: Any,
) -> AllTiers:
    """Return tiers over functions."""
    arguments = {"prices": PRICES, **arguments}
    return AllTiers(
        small=FunctionChatModel(small, label="small"),
        large=FunctionChatModel(large, label="large"),
        verifier=FunctionChatModel(judge, label="judge"),
        **arguments,
    )


def row(number: int, **values: Any) -> dict[str, Any]:
    """Return a row of a data set."""
    return {
        "id": number,
        "question": f"When was event {number}?",
        "answers": ["May"],
        "context": f"Event {number} was in May.",
        **values,
    }


def write(path: Path, *rows: dict[str, Any]) -> Path:
    """Write a data set."""
    path.write_text("".join(json.dumps(one) + "\n" for one in rows), encoding="utf-8")
    return path
