"""The cascade inside LangChain agents: as middleware of ``create_agent``, and as a tool for it."""

from automix_graph.agents.middleware import AutoMixMiddleware
from automix_graph.agents.report import AutoMixReport, AutoMixState, AutoMixStep
from automix_graph.agents.tool import AutoMixArtifact, create_automix_tool

__all__ = [
    "AutoMixArtifact",
    "AutoMixMiddleware",
    "AutoMixReport",
    "AutoMixState",
    "AutoMixStep",
    "create_automix_tool",
]
