"""What the tests' ``langgraph.json`` names: the factory of the package with models without weights and network.

The models follow the question, so that questions can come in any order: one with the word "hard" is escalated. Only the
loading of models is replaced; settings, index and graph are those of the package. Importing this module does so, which
is for the process of the server alone.
"""

import re
from typing import Any

from scripted_answers import DRAFT, LARGE, SMALL_IN_CHINESE, STANDALONE

import automix_graph.models
import automix_graph.models.named
from automix_graph.langgraph_server import make_graph
from automix_graph.testing import FunctionChatModel, HashEmbeddings


def small(prompt: str) -> str:
    """Answer; but make the follow-up stand alone, where that is the task."""
    if "Last question:" in prompt:
        return STANDALONE
    return SMALL_IN_CHINESE if re.search("[\u4e00-\u9fff]", prompt) else DRAFT


def judge(prompt: str) -> str:
    """Reject answers to hard questions."""
    return "Incorrect" if "hard" in prompt else "Correct"


MODELS = {"test:small": small, "test:judge": judge, "test:large": lambda _: LARGE}


def resolve(model: Any, **_: Any) -> Any:
    """Return a chat model for a name."""
    return FunctionChatModel(MODELS[model], label=model) if isinstance(model, str) else model


automix_graph.models.named.resolve_chat_model = resolve
automix_graph.models.load_embeddings = lambda _: HashEmbeddings()

__all__ = ["make_graph"]
