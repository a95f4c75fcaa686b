"""Doubles for tests of this package and of applications that use it."""

from automix_graph.testing.chat_models import FunctionChatModel, ScriptedChatModel, ScriptedReply
from automix_graph.testing.embeddings import HashEmbeddings
from automix_graph.testing.retrievers import StaticRetriever

__all__ = ["FunctionChatModel", "HashEmbeddings", "ScriptedChatModel", "ScriptedReply", "StaticRetriever"]
