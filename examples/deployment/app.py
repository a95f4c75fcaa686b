"""The cascade as a service: all doors of ``create_app``, and conversations that Postgres keeps.

``python app.py`` reads its settings from the environment (``compose.env.example`` lists them) and serves until it is
told to stop. Questions that stand alone go to ``/automix`` (LangServe) or ``/v1/chat/completions`` (OpenAI's API) and
leave nothing behind. ``/threads`` (LangServe) takes a thread's name with each question, and its follow-up questions are
understood, in whichever replica they arrive and after a restart.
"""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import os
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import uvicorn
from fastapi import FastAPI
from langchain_core.runnables import RunnableLambda
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from langserve import add_routes
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool
from pydantic import BaseModel, ConfigDict, Field

from automix_graph import FaissStore, Limits, build_automix, load_embeddings, load_policy
from automix_graph.graph.wiring import Graph
from automix_graph.langgraph_server import GraphSettings
from automix_graph.serving import (
    Check,
    Service,
    ServingSettings,
    create_app,
    read_keys,
    require_safe,
    server_config,
)
from automix_graph.serving.readiness import retriever_check

ANSWERED: Final = ("answer", "route", "verdict", "confidence", "degraded", "cost")
"""What a client of ``/threads`` is told of the output."""
THREADS: Final = "/threads"
LIMITS: Final = Limits(max_calls=8, max_seconds=90)
"""For one question; add ``max_cost`` where all your models have a known price."""
GRACE_SECONDS: Final = 30
POOL_SIZE: Final = 16
"""Connections to Postgres: each step of a conversation borrows one for a moment."""


class Turn(BaseModel):
    """One question of a conversation."""

    model_config = ConfigDict(extra="forbid")

    thread: str = Field(
        min_length=1, max_length=200, description="Name of the conversation; whoever knows it reads it."
    )
    question: str = Field(min_length=1, max_length=20_000)


class Reply(BaseModel):
    """The committed answer to a turn."""

    answer: str
    route: str
    verdict: str
    confidence: float | None
    degraded: bool
    cost: float | None


def application(
    graph: Graph, saver: BaseCheckpointSaver[Any], *, settings: ServingSettings, checks: dict[str, Check]
) -> FastAPI:
    """Return the application.

    Args:
        graph: as `build_automix` makes it.
        saver: keeps the conversations.
        settings: of the server; its keys and limits are those of all doors, also of ``/threads``.
        checks: of the parts, for ``/readyz``.
    """
    settings = dataclasses.replace(settings, working_paths=(*settings.working_paths, THREADS))
    app = create_app(graph.compile(name="automix"), settings=settings, checks=checks)
    service: Service = app.state.service
    threads = service.beside("threads", graph.compile(name="automix", checkpointer=saver))

    async def answer(turn: Turn | dict[str, Any]) -> dict[str, Any]:
        asked = Turn.model_validate(turn)
        threads.check("threads", asked.question, param="question")
        outcome = await threads.outcome("threads", asked.question, thread=asked.thread)
        return {name: outcome.output[name] for name in ANSWERED}

    # No stream and no events: they would show a parent's steps, and this door promises the committed answer alone.
    # No batch: it would ask all of its questions at once, on the one place of its request.
    add_routes(
        app,
        RunnableLambda(answer, name="thread").with_types(input_type=Turn, output_type=Reply),
        path=THREADS,
        config_keys=(),
        enabled_endpoints=("invoke", "input_schema", "output_schema"),
    )
    return app


@asynccontextmanager
async def conversations(
    connection: str, password: str | None = None
) -> AsyncGenerator[tuple[AsyncPostgresSaver, Check], None]:
    """Yield a saver over a pool of connections, its tables made, and a check that the database answers.

    Args:
        connection: address of the database, without a password, since addresses end up in logs.
        password: of its user; None: it needs none.
    """
    options = {"autocommit": True, "prepare_threshold": 0, "row_factory": dict_row, "password": password}
    async with AsyncConnectionPool(
        connection,
        min_size=1,
        max_size=POOL_SIZE,
        kwargs=options,
        open=False,
        check=AsyncConnectionPool.check_connection,
    ) as pool:
        saver = AsyncPostgresSaver(pool)
        await saver.setup()

        async def check() -> bool:
            async with pool.connection() as borrowed:
                await borrowed.execute("SELECT 1")
            return True

        yield saver, check


async def main() -> None:
    """Serve until SIGTERM."""
    settings = GraphSettings.from_environment()
    host, keys_file = os.environ.get("HOST", "127.0.0.1"), os.environ.get("AUTOMIX_KEYS_FILE")
    keys = read_keys(Path(keys_file) if keys_file else None)
    require_safe(host, has_keys=bool(keys), insecure=False)
    password = Path(os.environ["POSTGRES_PASSWORD_FILE"]).read_text(encoding="utf-8").strip()
    with FaissStore.open(settings.index, load_embeddings(settings.embedding)) as store:
        retriever = store.as_retriever(search_type=settings.search, search_kwargs={"k": settings.k})
        graph = build_automix(
            tiers=settings.models,
            verifier=settings.verifier,
            policy=None if settings.policy is None else load_policy(settings.policy),
            retriever=retriever,
            language=settings.language,
            condense=True,
            limits=LIMITS,
        )
        async with conversations(os.environ["DATABASE_URL"], password) as (saver, database):
            app = application(
                graph,
                saver,
                settings=ServingSettings(keys=keys),
                checks={"index": retriever_check(retriever), "postgres": database},
            )
            port = int(os.environ.get("PORT", "8000"))
            config = server_config(app, host=host, port=port, grace_seconds=GRACE_SECONDS)
            await uvicorn.Server(config).serve()


if __name__ == "__main__":
    logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(message)s")
    asyncio.run(main())
