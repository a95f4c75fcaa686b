"""What the actors of the tests are made of: each call is written down in a file, so that it can be counted."""

import os
import re
import signal
import time
from collections import Counter
from pathlib import Path
from typing import Any

from automix_graph import AllTiers, create_automix
from automix_graph.testing import FunctionChatModel, StaticRetriever
from automix_graph.testing.chat_models import ScriptedReply

PRICES = {"small": (1, 1), "judge": (1, 1), "large": (1, 1)}


class Parts:
    """Makes a graph or tiers in any process; the small model notes whom it was asked about.

    Args:
        log: file of the notes; None: none.
        deadly: number at which the process of the first one to be asked dies.
        once: whether it dies once only, or each time.
        failing: whether all models fail.
        pause: seconds that the small model takes.
    """

    def __init__(
        self,
        log: Path | None = None,
        *,
        deadly: int | None = None,
        once: bool = True,
        failing: bool = False,
        pause: float = 0.0,
    ) -> None:
        self.log = log
        self.deadly = deadly
        self.once = once
        self.failing = failing
        self.pause = pause

    def graph(self) -> Any:
        return create_automix(**self._models(), retriever=StaticRetriever(["Events happen."]), prices=PRICES)

    def tiers(self) -> AllTiers:
        return AllTiers(**self._models(), retriever=StaticRetriever(["Events happen."]), prices=PRICES)

    def _models(self) -> dict[str, Any]:
        return {
            "small": FunctionChatModel(self._small, label="small"),
            "large": FunctionChatModel(lambda prompt: self._said(f"large {_number(prompt)}"), label="large"),
            "verifier": FunctionChatModel(
                lambda prompt: self._said("Incorrect" if _number(prompt) % 3 == 0 else "Correct"), label="judge"
            ),
        }

    def _small(self, prompt: str) -> Any:
        number = _number(prompt)
        if self.log is not None:
            with self.log.open("a") as file:
                file.write(f"{number} {os.getpid()}\n")
            died = self.log.with_name("died")
            if number == self.deadly and not (self.once and died.exists()):
                died.touch()
                os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(self.pause)
        return self._said(f"small {number}")

    def _said(self, text: str) -> Any:
        return ConnectionError("down") if self.failing else ScriptedReply(text=text, usage=(100, 10))


def asked(log: Path) -> Counter[int]:
    """Return how often the small model was asked about each number."""
    return Counter(int(line.split()[0]) for line in log.read_text().splitlines())


def actors_of(log: Path) -> set[int]:
    """Return the processes that were asked."""
    return {int(line.split()[1]) for line in log.read_text().splitlines()}


def _number(prompt: str) -> int:
    return int(re.findall(r"event (\d+)", prompt)[-1])
