"""Measure what our graph adds to each question, beside a bare LangGraph graph of four nodes with the same models.

Models answer at once, so what is left is Python: LangGraph's, LangChain's, and ours. Both graphs send the same prompts
to the same models, which is checked before anything is measured, and the sides run in turn. Reported are milliseconds
of the processor for each question, the median over the rounds, and the ratio with a 95 % interval::

    python benchmarks/graph_overhead.py --out graph.json
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import dataclasses
import json
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, get_args

from graph_scene import QUESTION, automix, bare, scene
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import BaseMessage
from langgraph.checkpoint.memory import InMemorySaver
from machine import circumstances
from rich.console import Console
from rich.table import Table
from sides import Compared, compared
from targets import at_most

Form = Literal["invoke", "ainvoke", "batch", "abatch"]
Saver = Literal["none", "memory", "sqlite"]

TARGET: Final = 1.3


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What is measured.

    Attributes:
        form: how the graph is called.
        saver: its checkpointer.
        accept: whether the judge keeps the small answer.
    """

    form: Form
    saver: Saver
    accept: bool

    @property
    def name(self) -> str:
        """In words, for reports."""
        return f"{self.form}, {self.saver}, {'accepted' if self.accept else 'escalated'}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark."""
    options = _parser().parse_args(arguments)
    settings = [
        Setting(form=form, saver=saver, accept=accept)
        for form in options.forms
        for saver in options.savers
        for accept in (True, False)
    ]
    rows = []
    for setting in settings:
        batch = setting.form in {"batch", "abatch"}
        calls, rounds = (options.batch, options.batch_rounds) if batch else (options.calls, options.rounds)
        found = asyncio.run(_measured(setting, calls=calls, rounds=rounds))
        rows.append(
            {"setting": setting.name, **dataclasses.asdict(setting), "calls": calls} | dataclasses.asdict(found)
        )
        print(f"{setting.name}: {found.ratio:.2f} ({found.low:.2f} to {found.high:.2f})", file=sys.stderr, flush=True)
    result: dict[str, Any] = {**circumstances(__file__), "target": TARGET, "rows": rows}
    result["targets"] = [
        at_most(
            f"graph overhead: {row['setting']}",
            ours=f"{1000 * row['ours']:.2f} ms",
            peer=f"{1000 * row['peer']:.2f} ms, bare LangGraph graph",
            ratio=row["ratio"],
            allowed=TARGET,
        )
        for row in rows
    ]
    _show(result)
    if options.out:
        options.out.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15, help="of each setting (default: %(default)s)")
    parser.add_argument("--batch-rounds", type=int, default=5, help="of each setting with batches (%(default)s)")
    parser.add_argument("--calls", type=int, default=50, help="one by one in a round (default: %(default)s)")
    parser.add_argument("--batch", type=int, default=1000, help="questions of a batch (default: %(default)s)")
    parser.add_argument("--forms", nargs="+", choices=get_args(Form), default=get_args(Form))
    parser.add_argument("--savers", nargs="+", choices=get_args(Saver), default=get_args(Saver))
    parser.add_argument("--out", type=Path, help="also write the result to this file, as JSON")
    return parser


async def _measured(setting: Setting, *, calls: int, rounds: int) -> Compared:
    """Measure one setting; each side has a checkpointer of its own, which is new in each round."""
    asynchronous = setting.form in {"ainvoke", "abatch"}
    parts = scene(accept=setting.accept)
    makers: list[Callable[[Any], Any]] = [
        lambda saver: automix(parts, saver),
        lambda saver: bare(parts, saver, asynchronous=asynchronous),
    ]
    await _check_same(makers, setting)
    taken: list[list[float]] = [[], []]
    for turn in range(rounds + 1):
        for side in (0, 1) if turn % 2 else (1, 0):
            async with _saver(setting.saver, asynchronous=asynchronous) as saver:
                graph = makers[side](saver)
                seconds = await _timed(setting, graph, 10 if turn == 0 else calls)
            taken[side].append(seconds / calls)
    return compared(taken[0][1:], taken[1][1:])


async def _timed(setting: Setting, graph: Any, calls: int) -> float:
    """Return the seconds of the processor that so many questions take."""
    questions = [{"question": QUESTION} for _ in range(calls)]
    configs: list[Any] = [{"configurable": {"thread_id": str(number)}} for number in range(calls)]
    run = _RUNS[setting.form]
    began = time.process_time()
    await run(graph, questions, configs)
    return time.process_time() - began


async def _invoke(graph: Any, questions: list[Any], configs: list[Any]) -> None:
    for question, config in zip(questions, configs, strict=True):
        graph.invoke(question, config)


async def _ainvoke(graph: Any, questions: list[Any], configs: list[Any]) -> None:
    for question, config in zip(questions, configs, strict=True):
        await graph.ainvoke(question, config)


async def _batch(graph: Any, questions: list[Any], configs: list[Any]) -> None:
    graph.batch(questions, configs)


async def _abatch(graph: Any, questions: list[Any], configs: list[Any]) -> None:
    await graph.abatch(questions, configs)


_RUNS: Final[dict[Form, Callable[[Any, list[Any], list[Any]], Coroutine[Any, Any, None]]]] = {
    "invoke": _invoke,
    "ainvoke": _ainvoke,
    "batch": _batch,
    "abatch": _abatch,
}


@contextlib.asynccontextmanager
async def _saver(name: Saver, *, asynchronous: bool) -> AsyncIterator[Any]:
    if name == "none":
        yield None
    elif name == "memory":
        yield InMemorySaver()
    else:
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "threads.sqlite")
            if asynchronous:
                from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

                async with AsyncSqliteSaver.from_conn_string(path) as saver:
                    yield saver
            else:
                from langgraph.checkpoint.sqlite import SqliteSaver

                with SqliteSaver.from_conn_string(path) as saver:
                    yield saver


async def _check_same(makers: list[Callable[[Any], Any]], setting: Setting) -> None:
    """Refuse to measure graphs that do not ask the same models the same, or do not give the same answer."""
    asked = []
    for make in makers:
        seen = _Seen()
        graph = make(None)
        config: Any = {"callbacks": [seen]}
        question: Any = {"question": QUESTION}
        asynchronous = setting.form in {"ainvoke", "abatch"}
        said = await graph.ainvoke(question, config) if asynchronous else graph.invoke(question, config)
        asked.append((seen.prompts, said["answer"], said["route"]))
    if asked[0] != asked[1]:
        raise SystemExit(f"the graphs do not do the same: {asked[0]!r} and {asked[1]!r}")


class _Seen(BaseCallbackHandler):
    """Keeps the prompts that models are asked."""

    run_inline = True

    def __init__(self) -> None:
        self.prompts: list[list[tuple[str, str]]] = []

    def on_chat_model_start(self, serialized: Any, messages: list[list[BaseMessage]], **kwargs: Any) -> None:
        """Keep what a model is asked, with the cap on its reply."""
        self.prompts += [[(message.type, str(message.text)) for message in prompt] for prompt in messages]
        self.prompts.append([("max_tokens", str(kwargs["invocation_params"].get("max_tokens")))])


def _show(result: dict[str, Any]) -> None:
    table = Table(title="Milliseconds of the processor for each question", title_justify="left")
    for header in ("", "ours", "bare graph", "ratio", "95 % interval", "target"):
        table.add_column(header, justify="right" if header else "left")
    for row in result["rows"]:
        numbers = (f"{1000 * row[side]:.2f}" for side in ("ours", "peer"))
        table.add_row(
            row["setting"],
            *numbers,
            f"{row['ratio']:.2f}",
            f"{row['low']:.2f} to {row['high']:.2f}",
            f"{result['target']}",
        )
    Console().print(
        table, f"{result['date']}, {result['commit']}, {result['machine']}, load {result['load']}", sep="\n"
    )


if __name__ == "__main__":
    sys.exit(main())
