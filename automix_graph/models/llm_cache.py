"""LangChain's caches of replies: which models have one, and which replies come from it.

Such a cache (`langchain_core.globals.set_llm_cache`, or ``cache=`` of a chat model) is asked with the prompt and the
options of the model, so that it knows nothing of a prompt that has changed. It keeps whatever a model replied, of use
or not, and repeats the tokens of the call that filled it.
"""

from __future__ import annotations

from collections.abc import Mapping

from langchain_core.caches import BaseCache
from langchain_core.globals import get_llm_cache
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage


def has_cache(model: BaseChatModel) -> bool:
    """Return whether LangChain may give replies of a cache in place of the model's."""
    return isinstance(model.cache, BaseCache) or (model.cache is not False and get_llm_cache() is not None)


def from_cache(message: AIMessage) -> bool:
    """Return whether a reply comes from a cache, so that nothing was paid for it.

    LangChain says so by a total cost of zero, which no provider reports there.

    Example:
        >>> from_cache(AIMessage("In May"))
        False
    """
    usage: Mapping[str, object] = message.usage_metadata or {}
    return usage.get("total_cost") == 0


def uncached(model: BaseChatModel) -> BaseChatModel:
    """Return the model, asking anew each time."""
    return model.model_copy(update={"cache": False}) if has_cache(model) else model
