"""The graph behind HTTP: an OpenAI-compatible endpoint, LangServe, a page for people, health and metrics.

Nothing imports this room but the command line. Names are loaded when they are first used, because they need the extras
``serve`` or ``langserve``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from automix_graph.lazy import lazy_names

if TYPE_CHECKING:
    from automix_graph.serving.app import create_app as create_app
    from automix_graph.serving.doors.langserve_routes import add_automix_routes as add_automix_routes
    from automix_graph.serving.gate.keys import read_keys as read_keys
    from automix_graph.serving.listening import require_safe as require_safe
    from automix_graph.serving.listening import server_config as server_config
    from automix_graph.serving.readiness import Check as Check
    from automix_graph.serving.service import Service as Service
    from automix_graph.serving.settings import ServingSettings as ServingSettings

_HOMES = {
    "Check": "readiness",
    "ServingSettings": "settings",
    "add_automix_routes": "doors.langserve_routes",
    "Service": "service",
    "create_app": "app",
    "read_keys": "gate.keys",
    "require_safe": "listening",
    "server_config": "listening",
}

__all__ = sorted(_HOMES)  # noqa: PLE0605 - one table serves the exports and their homes

__getattr__, __dir__ = lazy_names(__name__, _HOMES)
