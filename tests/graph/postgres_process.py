"""A program that asks a question on a thread in Postgres and is gone in mid-answer; started again, it goes on.

Run as ``python postgres_process.py ask CONNECTION``, which exits with status 9 and closes nothing, and as ``python
postgres_process.py resume CONNECTION``, which prints JSON. The second has no replies for what was paid for already.
"""

import json
import os
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from langgraph.checkpoint.postgres import PostgresSaver
from langgraph.checkpoint.serde.base import SerializerProtocol
from scene import DRAFT, LARGE, QUESTION, THREAD

from automix_graph import Threshold
from automix_graph.graph import build_automix
from automix_graph.testing import FunctionChatModel, ScriptedChatModel, StaticRetriever


def die(_: str) -> NoReturn:
    """End the process as a kill would."""
    os._exit(9)


def graph(small: Sequence[str], judge: Sequence[str], large: Any, saver: PostgresSaver) -> Any:
    """Return the graph on a thread."""
    return build_automix(
        small=ScriptedChatModel(small, label="s"),
        verifier=ScriptedChatModel(judge, label="j"),
        large=large,
        retriever=StaticRetriever(["text"]),
    ).compile(checkpointer=saver)


def is_strict(serde: SerializerProtocol) -> bool:
    """Return whether what is stored may only become what LangGraph knows to be harmless."""
    return not isinstance(serde.loads_typed(serde.dumps_typed(Threshold(0.5))), Threshold)


def main(step: str, connection: str) -> None:
    """Do one step."""
    with PostgresSaver.from_conn_string(connection) as saver:
        if step == "ask":
            saver.setup()
            asking = graph([DRAFT], ["Incorrect"], FunctionChatModel(die, label="l"), saver)
            # By default a step is stored while the next one runs, and this one is gone at once.
            asking.invoke(QUESTION, THREAD, durability="sync")
        result = graph([], [], ScriptedChatModel([LARGE], label="l"), saver).invoke(None, THREAD)
        stages = [call["stage"] for call in result["usage"]["calls"]]
        print(json.dumps({"answer": result["answer"], "stages": stages, "strict": is_strict(saver.serde)}))


if __name__ == "__main__":
    main(*sys.argv[1:])
