"""A graph over scripted models, and what the tests of the graph say to it."""

from collections.abc import Callable
from dataclasses import dataclass

from automix_graph.graph.build import CompiledGraph
from automix_graph.testing import ScriptedChatModel

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
