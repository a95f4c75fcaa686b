"""A program that asks a question on a thread in a SQLite file and is killed in mid-answer; started again, it goes on.

Run as ``python sqlite_process.py FILE CALLS NODE WAY``: the model of that node kills the process with SIGKILL the first
time that it is asked. Every model call is a line in the file CALLS, on disk before the model answers: it stands for the
provider's bill. WAY is ``sync`` or ``async``. The run that ends prints JSON.
"""

import asyncio
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from scene import DRAFT, LARGE, QUESTION, THREAD

from automix_graph.graph import build_automix
from automix_graph.testing import FunctionChatModel, StaticRetriever

SAID = {"small": DRAFT, "verify": "Incorrect", "large": LARGE}


class Provider:
    """Answers for all models, writes every call down, and kills the process once."""

    def __init__(self, calls: Path, killing: str) -> None:
        self.calls = calls
        self.killing = killing

    def model(self, name: str) -> FunctionChatModel:
        """Return a model of this provider."""
        return FunctionChatModel(lambda _: self._reply(name), label=name)

    def _reply(self, name: str) -> str:
        before = self.calls.read_text(encoding="utf-8").split() if self.calls.exists() else []
        with self.calls.open("a", encoding="utf-8") as file:
            file.write(f"{name}\n")
            file.flush()
            os.fsync(file.fileno())
        if name == self.killing and name not in before:
            os.kill(os.getpid(), signal.SIGKILL)
        return SAID[name]


def graph(provider: Provider, saver: Any) -> Any:
    """Return the graph on a thread."""
    return build_automix(
        small=provider.model("small"),
        verifier=provider.model("verify"),
        large=provider.model("large"),
        retriever=StaticRetriever(["text"]),
    ).compile(checkpointer=saver)


def run(file: str, provider: Provider, begins: bool) -> dict[str, Any]:
    """Ask, or go on."""
    with SqliteSaver.from_conn_string(file) as saver:
        result: dict[str, Any] = graph(provider, saver).invoke(QUESTION if begins else None, THREAD, durability="sync")
        return result


async def arun(file: str, provider: Provider, begins: bool) -> dict[str, Any]:
    """Ask, or go on, asynchronously."""
    async with AsyncSqliteSaver.from_conn_string(file) as saver:
        asked = QUESTION if begins else None
        result: dict[str, Any] = await graph(provider, saver).ainvoke(asked, THREAD, durability="sync")
        return result


def main(file: str, calls: str, killing: str, way: str) -> None:
    """Do what can be done until the kill."""
    begins = not Path(file).exists()
    provider = Provider(Path(calls), killing)
    result = run(file, provider, begins) if way == "sync" else asyncio.run(arun(file, provider, begins))
    stages = [call["stage"] for call in result["usage"]["calls"]]
    print(json.dumps({"answer": result["answer"], "route": result["route"], "stages": stages}))


if __name__ == "__main__":
    main(*sys.argv[1:])
