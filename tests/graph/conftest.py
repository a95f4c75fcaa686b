from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from langgraph.cache.base import BaseCache
from langgraph.cache.memory import InMemoryCache
from langgraph.cache.sqlite import SqliteCache
from scene import DRAFT, PASSAGES, MakeScene, Scene

from automix_graph.graph import create_automix
from automix_graph.testing import ScriptedChatModel, StaticRetriever
from automix_graph.testing.chat_models import Reply


@pytest.fixture
def make_scene() -> Iterator[MakeScene]:
    """Make scenes; the scripts must be used up."""
    scenes: list[Scene] = []

    def make(
        *,
        small: Sequence[Reply] = (DRAFT,),
        judge: Sequence[Reply] = ("Correct",),
        large: Sequence[Reply] = (),
        **arguments: Any,
    ) -> Scene:
        models = {
            "small": ScriptedChatModel(small, label="small-model"),
            "judge": ScriptedChatModel(judge, label="judge-model"),
            "large": ScriptedChatModel(large, label="large-model"),
        }
        graph = create_automix(
            small=models["small"],
            large=models["large"],
            retriever=StaticRetriever(PASSAGES),
            verifier=models["judge"],
            **arguments,
        )
        scenes.append(Scene(graph=graph, **models))
        return scenes[-1]

    yield make
    for scene in scenes:
        for model in (scene.small, scene.judge, scene.large):
            model.assert_consumed()


@pytest.fixture(params=["memory", "sqlite"])
def answer_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[BaseCache[Any]]:
    """Keep answers in memory, and in a file."""
    if request.param == "memory":
        yield InMemoryCache()
        return
    found = SqliteCache(path=str(tmp_path / "cache.sqlite"))
    yield found
    found._conn.close()
