"""The LangGraph graph; the only layer that imports langgraph."""

from automix_graph.graph.all_tiers import AllTiers, Run
from automix_graph.graph.build import build_automix, create_automix
from automix_graph.graph.state import AutomixInput, AutomixOutput, AutomixState

__all__ = ["AllTiers", "AutomixInput", "AutomixOutput", "AutomixState", "Run", "build_automix", "create_automix"]
