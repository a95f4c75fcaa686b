"""Named models that say what a script says."""

from __future__ import annotations

from typing import Any

from automix_graph.models.calling import NamedModel
from automix_graph.models.retrying import Retries
from automix_graph.testing import ScriptedChatModel
from automix_graph.testing.chat_models import Reply

AT_ONCE = Retries(attempts=3, first_wait=0.0, opens_after=None)


def scripted(*replies: Reply, label: str = "first", **settings: Any) -> NamedModel:
    settings = {"retries": AT_ONCE, **settings}
    return NamedModel(label=label, model=ScriptedChatModel(replies, label=label), **settings)
