"""Where long jobs are done: in this process, or by the actors of a Ray cluster."""

from automix_graph.engines.engine import Engine, EngineError
from automix_graph.engines.local import LocalEngine
from automix_graph.engines.ray_engine import RayEngine

__all__ = ["Engine", "EngineError", "LocalEngine", "RayEngine"]
