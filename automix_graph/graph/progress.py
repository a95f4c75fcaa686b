"""What leaves the graph while it runs: progress events, and nothing of a draft.

Events go to ``stream_mode="custom"``. Each is a dict with an ``event`` and the fields named here:

=============  =====================================================================================
``condensed``  ``question``: what a follow-up question became, where that was asked for
``retrieved``  ``passages``: how many; with ``failure`` where the retriever failed and that was to be no error
``drafted``    ``tier``: whose turn it was, ``ok``: whether its model answered
``verified``   ``tier``, ``verdict``, ``confidence``, ``accept``, ``reason``
``review``     ``tier``: about whose answer a person is asked
``escalated``  ``tier``: which is asked next
``answer``     ``answer`` (the committed one), ``route``, ``degraded``
=============  =====================================================================================

An escalated answer streams token by token. If the large model fails in the middle of it, a degraded answer follows as a
message with an id of its own: whoever shows tokens then starts again.
"""

from __future__ import annotations

from typing import Any

from langchain_core.callbacks import BaseCallbackHandler, BaseCallbackManager
from langchain_core.runnables import RunnableConfig
from langgraph.config import get_stream_writer


def emit(event: str, **fields: Any) -> None:
    """Send a progress event to whoever streams the graph; nobody does where a node is run by itself."""
    try:
        writer = get_stream_writer()
    except (KeyError, RuntimeError):
        return
    writer({"event": event, **fields})


def unstreamed(config: RunnableConfig) -> RunnableConfig:
    """Return the config without the handlers that turn model tokens into a caller's stream.

    A draft is not an answer yet, and a verdict never is one: neither may show up in ``stream_mode="messages"``,
    ``astream_events`` or ``astream_log``, of this graph or of one around it. Tracers and usage callbacks stay.
    """
    callbacks = config.get("callbacks")
    if callbacks is None:
        return config
    if isinstance(callbacks, BaseCallbackManager):
        quiet = callbacks.copy()
        quiet.handlers = [handler for handler in callbacks.handlers if not streams(handler)]
        quiet.inheritable_handlers = [handler for handler in callbacks.inheritable_handlers if not streams(handler)]
        return {**config, "callbacks": quiet}
    return {**config, "callbacks": [handler for handler in callbacks if not streams(handler)]}


def streams(handler: BaseCallbackHandler) -> bool:
    """Return whether a handler turns model tokens into a caller's stream."""
    # What LangChain's own streaming handlers have in common, and what makes it stream a model that was only invoked.
    return hasattr(handler, "tap_output_aiter")
