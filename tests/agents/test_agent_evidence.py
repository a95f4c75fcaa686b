"""What a draft is judged by: the question, and what the tools found."""

from __future__ import annotations

from agent_scene import DRAFT, FOUND, LARGE, QUESTION, WRITES_LARGE, MakeAgent, says, search
from langchain_core.messages import AIMessage, ToolMessage
from langchain_core.tools import StructuredTool, ToolException

from automix_graph import Threshold
from automix_graph.testing import ScriptedReply


def test_the_judge_reads_the_question_and_what_the_tools_found(make_agent: MakeAgent) -> None:
    scene = make_agent()
    scene.agent.invoke(QUESTION)
    [prompt] = scene.judge.prompt_texts
    assert "When was it opened?" in prompt
    assert FOUND in prompt
    assert DRAFT in prompt


def test_without_results_of_tools_no_draft_counts(make_agent: MakeAgent) -> None:
    scene = make_agent(small=[says(DRAFT)], judge=[], large=WRITES_LARGE)
    report = scene.agent.invoke(QUESTION)["automix"]
    assert (report["route"], report["verdict"]) == ("large", "UNPARSED")
    assert report["reason"] == "no judgement: there are no results of tools to judge the answer by"


def test_a_policy_that_accepts_everything_does_not_change_that(make_agent: MakeAgent) -> None:
    scene = make_agent(small=[says(DRAFT)], judge=[], large=WRITES_LARGE, policy=Threshold(0.0))
    assert scene.agent.invoke(QUESTION)["messages"][-1].text == LARGE


def test_a_tool_that_failed_is_no_document(make_agent: MakeAgent) -> None:
    def broken(query: str) -> str:
        """Search the archive."""
        raise ToolException("no archive")

    tool = StructuredTool.from_function(broken, name="search", handle_tool_error=True)
    scene = make_agent(judge=[], large=WRITES_LARGE, tools=[tool])
    state = scene.agent.invoke(QUESTION)
    assert state["messages"][2].status == "error"
    assert state["automix"]["reason"] == "no judgement: there are no results of tools to judge the answer by"


def test_a_conversation_without_a_question_escalates(make_agent: MakeAgent) -> None:
    scene = make_agent(small=[says(DRAFT)], judge=[], large=WRITES_LARGE)
    messages = [
        AIMessage("", tool_calls=[{"name": "search", "args": {"query": "x"}, "id": "1"}]),
        ToolMessage(FOUND, tool_call_id="1", name="search"),
    ]
    report = scene.agent.invoke({"messages": messages})["automix"]
    assert report["reason"] == "no judgement: there is no human message to judge the answer by"


def test_parallel_tool_calls_are_one_draft_and_all_results_are_read(make_agent: MakeAgent) -> None:
    def count(what: str) -> str:
        """Count things."""
        return f"There are seven {what}."

    both = ScriptedReply(text="", tool_calls=(("search", {"query": "a"}), ("count", {"what": "domes"})))
    scene = make_agent(small=[both, says(DRAFT)], tools=[search, count])
    state = scene.agent.invoke(QUESTION)
    assert [message.type for message in state["messages"]] == ["human", "ai", "tool", "tool", "ai"]
    assert len(state["automix"]["steps"]) == 2
    [prompt] = scene.judge.prompt_texts
    assert prompt.index(FOUND) < prompt.index("There are seven domes.")
