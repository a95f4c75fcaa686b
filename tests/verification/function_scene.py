"""What a function judges, with a model or in a graph."""

from __future__ import annotations

from typing import Any

from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import Runnable

from automix_graph.graph import create_automix
from automix_graph.graph.build import CompiledGraph
from automix_graph.prompts import load_prompts
from automix_graph.records import Passage
from automix_graph.testing import FunctionChatModel, StaticRetriever
from automix_graph.verification import Case
from automix_graph.verification.function import FunctionVerifier

PASSAGES = (Passage(text="In May."), Passage(text="Or June."))
CASE = Case(question="When?", passages=PASSAGES, answer="May SECRET", prompts=load_prompts("en"))


def chain(model: Any) -> Runnable[Any, Any]:
    """Return a chain that asks a model for a percentage."""
    prompt = ChatPromptTemplate.from_template("{context} {question} {answer} How sure, in percent?")
    return prompt | model | StrOutputParser() | (lambda text: int(text) / 100)


def graph_with(function: Any) -> CompiledGraph:
    """Return a graph that a function judges for; the small model says May, and the large one June."""
    return create_automix(
        small=FunctionChatModel(lambda prompt: "May", label="small"),
        large=FunctionChatModel(lambda prompt: "June", label="large"),
        retriever=StaticRetriever(["In May."]),
        verifier=FunctionVerifier(function=function, name="mine"),
    )
