"""The scripted models call tools as real ones do, streamed or not."""

from automix_graph.testing import FunctionChatModel, ScriptedChatModel, ScriptedReply

CALLS = ScriptedReply(text="so", tool_calls=(("search", {"query": "a"}), ("count", {"what": ["b"]})))


def search(query: str) -> str:
    """Search."""
    return query


def test_a_reply_calls_tools() -> None:
    model = ScriptedChatModel([CALLS, CALLS])
    first, second = model.invoke("x"), model.invoke("x")
    assert [(call["name"], call["args"]) for call in first.tool_calls] == [
        ("search", {"query": "a"}),
        ("count", {"what": ["b"]}),
    ]
    assert first.text == "so"
    assert len({call["id"] for call in (*first.tool_calls, *second.tool_calls)}) == 4


def test_a_streamed_reply_calls_the_same_tools() -> None:
    first, *others = list(ScriptedChatModel([CALLS]).stream("x"))
    whole = first
    for chunk in others:
        whole = whole + chunk
    assert [(call["name"], call["args"]) for call in whole.tool_calls] == [
        ("search", {"query": "a"}),
        ("count", {"what": ["b"]}),
    ]
    assert whole.usage_metadata is not None


def test_what_is_bound_to_calls_can_be_read() -> None:
    model = FunctionChatModel(str.upper)
    model.invoke("x")
    model.bind_tools([search], tool_choice="any", logprobs=True).invoke("x")
    plain, bound = model.options
    assert plain == {}
    assert (bound["tool_choice"], bound["logprobs"]) == ("any", True)
    assert bound["tools"][0]["function"]["name"] == "search"
