"""The LangGraph graph; the only layer that imports langgraph."""

from automix_graph.graph.all_tiers import AllTiers, Run
from automix_graph.graph.answer_cache import AnswerCache
from automix_graph.graph.build import build_automix, create_automix
from automix_graph.graph.call_settings import AutomixContext
from automix_graph.graph.parts import ModelTier
from automix_graph.graph.state import AutomixInput, AutomixOutput, AutomixState

__all__ = [
    "AllTiers",
    "AnswerCache",
    "AutomixContext",
    "AutomixInput",
    "AutomixOutput",
    "AutomixState",
    "ModelTier",
    "Run",
    "build_automix",
    "create_automix",
]
