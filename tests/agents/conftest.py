from collections.abc import Iterator
from typing import Any

import pytest
from agent_scene import AgentScene, MakeAgent, make_agent_scene


@pytest.fixture
def make_agent() -> Iterator[MakeAgent]:
    """Make agents; the scripts must be used up."""
    scenes: list[AgentScene] = []

    def make(**arguments: Any) -> AgentScene:
        scenes.append(make_agent_scene(**arguments))
        return scenes[-1]

    yield make
    for scene in scenes:
        for model in (scene.small, scene.judge, scene.large):
            model.assert_consumed()
