from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from automix_graph.graph import create_automix
from automix_graph.graph.build import CompiledGraph
from automix_graph.testing import ScriptedChatModel, StaticRetriever
from automix_graph.testing.chat_models import Reply

DRAFT = "the DRAFT answer"
LARGE = "the LARGE answer"
PASSAGES = ["First passage.", "Second passage."]
QUESTION = {"question": "What is it?"}


@dataclass(frozen=True, kw_only=True)
class Scene:
    """A graph over scripted models, and the models."""

    graph: CompiledGraph
    small: ScriptedChatModel
    judge: ScriptedChatModel
    large: ScriptedChatModel


MakeScene = Callable[..., Scene]


@pytest.fixture
def make_scene() -> MakeScene:
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
