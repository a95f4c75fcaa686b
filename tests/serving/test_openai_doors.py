"""OpenAI's own client, and LangChain's, against a server on this machine."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import openai
import pytest
from langchain_openai import ChatOpenAI
from served import DRAFT, LARGE, PatientModel, Running, chat, make_graph, served
from starlette.testclient import TestClient

from automix_graph.serving import ServingSettings, create_app
from automix_graph.testing import ScriptedChatModel, ScriptedReply

BARE = ServingSettings(langserve=False)
ROUTES = [("easy", DRAFT, "small"), ("hard", LARGE, "large")]


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    strict = make_graph(judge=lambda _: "Incorrect")
    with served(create_app(make_graph(), policies={"strict": strict}, settings=BARE)) as running:
        yield running


@pytest.fixture
def client(running: Running) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{running.url}/v1", api_key="none", max_retries=0) as client:
        yield client


@pytest.fixture
def ask() -> Iterator[TestClient]:
    with TestClient(create_app(make_graph(), settings=BARE)) as client:
        yield client


def said(question: str) -> list[Any]:
    return [{"role": "system", "content": "Be brief."}, {"role": "user", "content": question}]


@pytest.mark.parametrize(("question", "answer", "route"), ROUTES)
def test_the_official_client_gets_the_committed_answer(
    client: openai.OpenAI, question: str, answer: str, route: str
) -> None:
    raw = client.chat.completions.with_raw_response.create(model="automix", messages=said(question))
    completion = raw.parse()
    assert completion.choices[0].message.content == answer
    assert completion.choices[0].finish_reason == "stop"
    assert completion.id.startswith("chatcmpl-")
    assert completion.model_extra is not None
    told = completion.model_extra["automix"]
    assert (told["route"], told["calls"]) == (route, 2 if route == "small" else 3)
    assert raw.headers["x-automix-route"] == route
    assert raw.headers["x-automix-confidence"] == ("1" if route == "small" else "0")
    assert raw.headers["x-automix-degraded"] == "false"
    assert float(raw.headers["x-automix-cost"]) == pytest.approx(told["cost"], abs=1e-10)


@pytest.mark.parametrize(("question", "answer", "route"), ROUTES)
def test_the_official_client_streams_the_committed_answer(
    client: openai.OpenAI, question: str, answer: str, route: str
) -> None:
    with client.chat.completions.create(
        model="automix", messages=said(question), stream=True, stream_options={"include_usage": True}
    ) as stream:
        chunks = list(stream)
    assert chunks[0].choices[0].delta.role == "assistant"
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks[:-1]) == answer
    *_, last, usage = chunks
    assert last.choices[0].finish_reason == "stop"
    assert last.model_extra is not None
    assert last.model_extra["automix"]["route"] == route
    assert usage.choices == []
    assert usage.usage is not None
    assert {chunk.id for chunk in chunks} == {chunks[0].id}


def test_an_escalated_answer_arrives_in_pieces(client: openai.OpenAI) -> None:
    with client.chat.completions.create(model="automix", messages=said("hard"), stream=True) as stream:
        pieces = [chunk.choices[0].delta.content for chunk in stream if chunk.choices[0].delta.content]
    assert pieces == ["the", " LARGE", " answer"]


async def test_the_official_client_works_asynchronously(running: Running) -> None:
    async with openai.AsyncOpenAI(base_url=f"{running.url}/v1", api_key="none", max_retries=0) as client:
        completion = await client.chat.completions.create(model="automix", messages=said("hard"))
        assert completion.choices[0].message.content == LARGE
        stream = await client.chat.completions.create(model="automix", messages=said("easy"), stream=True)
        assert "".join([chunk.choices[0].delta.content or "" async for chunk in stream]) == DRAFT


@pytest.mark.parametrize(("question", "answer"), [("easy", DRAFT), ("hard", LARGE)])
async def test_langchain_s_client_works(running: Running, question: str, answer: str) -> None:
    one_use = httpx.Limits(max_keepalive_connections=0)
    model = ChatOpenAI(
        model="automix",
        base_url=f"{running.url}/v1",
        api_key="none",  # type: ignore[arg-type]  # pydantic makes a secret of it
        stream_usage=True,
        max_retries=0,
        http_client=httpx.Client(trust_env=False, limits=one_use),
        http_async_client=httpx.AsyncClient(trust_env=False, limits=one_use),
        http_socket_options=(),
    )
    reply = model.invoke(question)
    assert reply.text == answer
    assert reply.usage_metadata is not None
    streamed = list(model.stream(question))
    assert "".join(chunk.text for chunk in streamed) == answer
    assert (
        sum(chunk.usage_metadata["input_tokens"] for chunk in streamed if chunk.usage_metadata)
        == (reply.usage_metadata["input_tokens"])
    )
    assert (await model.ainvoke(question)).text == answer


@pytest.mark.parametrize("stream", [False, True])
def test_usage_is_the_sum_of_the_ledger(stream: bool) -> None:
    graph = make_graph(
        small=lambda _: ScriptedReply(text=DRAFT, usage=(100, 5)),
        judge=lambda _: ScriptedReply(text="Incorrect", usage=(300, 1)),
        large=lambda _: ScriptedReply(text=LARGE, usage=(100, 7)),
    )
    body = chat("hard", stream=True, stream_options={"include_usage": True}) if stream else chat("hard")
    with TestClient(create_app(graph, settings=BARE)) as client:
        text = client.post("/v1/chat/completions", json=body).text
    last = json.loads(text.split("data: ")[-2] if stream else text)
    assert last["usage"] == {
        "prompt_tokens": 500,
        "completion_tokens": 13,
        "total_tokens": 513,
        "prompt_tokens_details": {"cached_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 0},
    }
    cost = 100 * 1 + 5 * 2 + 300 * 3 + 1 * 4 + 100 * 10 + 7 * 20
    told = json.loads(text.split("data: ")[-3] if stream else text)["automix"]
    assert told["cost"] == pytest.approx(cost / 1e6)
    assert told["always_large_cost"] == pytest.approx((100 * 10 + 7 * 20) / 1e6)
    assert told["saved"] == pytest.approx(-(100 * 1 + 5 * 2 + 300 * 3 + 1 * 4) / 1e6)


def test_policies_are_models(client: openai.OpenAI) -> None:
    assert [model.id for model in client.models.list()] == ["automix", "strict"]
    assert client.models.retrieve("strict").owned_by == "automix"
    completion = client.chat.completions.create(model="strict", messages=said("easy"))
    assert completion.choices[0].message.content == LARGE
    with pytest.raises(openai.NotFoundError, match="gpt-9"):
        client.models.retrieve("gpt-9")
    with pytest.raises(openai.NotFoundError) as failed:
        client.chat.completions.create(model="gpt-9", messages=said("easy"))
    assert failed.value.code == "model_not_found"


def test_the_last_message_of_the_user_is_the_question(ask: TestClient) -> None:
    messages = [
        {"role": "user", "content": "hard"},
        {"role": "assistant", "content": None, "tool_calls": []},
        {"role": "user", "content": [{"type": "text", "text": "ea"}, {"type": "text", "text": "sy"}]},
    ]
    body = ask.post("/v1/chat/completions", json={"model": "automix", "messages": messages}).json()
    assert body["choices"][0]["message"]["content"] == DRAFT


@pytest.mark.parametrize(
    ("parameters", "param", "code"),
    [
        ({"temperature": 0.2}, "temperature", "unsupported_parameter"),
        ({"temperature": 1}, "temperature", "unsupported_parameter"),
        ({"max_tokens": 5}, "max_tokens", "unsupported_parameter"),
        ({"max_completion_tokens": 5}, "max_completion_tokens", "unsupported_parameter"),
        ({"stop": ["\n"]}, "stop", "unsupported_parameter"),
        ({"n": 2}, "n", "unsupported_parameter"),
        ({"n": True}, "n", "unsupported_parameter"),
        ({"seed": 1}, "seed", "unsupported_parameter"),
        ({"tools": [{"type": "function"}]}, "tools", "unsupported_parameter"),
        ({"response_format": {"type": "json_object"}}, "response_format", "unsupported_parameter"),
        ({"temprature": 1}, "temprature", "unknown_parameter"),
        ({"stream_options": {"include_usage": True}}, "stream_options", "invalid_value"),
        ({"messages": []}, "messages", "invalid_value"),
        ({"messages": [{"role": "system", "content": "x"}]}, "messages", "invalid_value"),
        ({"messages": [{"role": "user", "content": " \n"}]}, "messages", "invalid_value"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, "messages", "unsupported_content"),
        ({"messages": [{"role": "king", "content": "x"}]}, "messages.0", "invalid_value"),
        ({"messages": "hello"}, "messages", "invalid_value"),
        ({"model": None}, "model", "invalid_value"),
    ],
)
def test_what_cannot_be_honoured_is_refused(ask: TestClient, parameters: dict[str, Any], param: str, code: str) -> None:
    response = ask.post("/v1/chat/completions", json=chat("easy") | parameters)
    assert response.status_code == 400
    error = response.json()["error"]
    assert error.pop("message")
    assert error == {"type": "invalid_request_error", "param": param, "code": code}


def test_what_asks_for_nothing_is_taken(ask: TestClient) -> None:
    parameters = {"temperature": None, "n": 1, "stop": [], "tools": [], "user": "u", "metadata": {"a": "b"}}
    parameters |= {"frequency_penalty": 0.0, "logprobs": False, "response_format": {"type": "text"}, "stream": None}
    assert ask.post("/v1/chat/completions", json=chat("easy", **parameters)).status_code == 200


def test_the_operator_can_have_parameters_ignored() -> None:
    settings = ServingSettings(ignored_parameters=frozenset({"temperature"}))
    with TestClient(create_app(make_graph(), settings=settings)) as client:
        assert client.post("/v1/chat/completions", json=chat("easy", temperature=0.3)).status_code == 200
        assert client.post("/v1/chat/completions", json=chat("easy", top_p=0.3)).status_code == 400


@pytest.mark.parametrize(
    ("content", "headers", "code"),
    [
        (b"{", {"content-type": "application/json"}, "invalid_json"),
        (b"[]", {"content-type": "application/json"}, "invalid_value"),
        (b'{"model": "automix"}', {"content-type": "text/plain"}, "not_json"),
    ],
)
def test_a_body_that_is_no_request_is_refused(
    ask: TestClient, content: bytes, headers: dict[str, str], code: str
) -> None:
    response = ask.post("/v1/chat/completions", content=content, headers=headers)
    assert (response.status_code, response.json()["error"]["code"]) == (400, code)


def test_an_unknown_path_is_refused_in_the_same_shape(ask: TestClient) -> None:
    response = ask.post("/v1/embeddings", json={})
    assert (response.status_code, response.json()["error"]["code"]) == (404, "not_found")
    response = ask.get("/v1/chat/completions")
    assert (response.status_code, response.json()["error"]["code"]) == (405, "method_not_allowed")


def test_a_model_that_fails_tells_nothing_of_its_provider() -> None:
    large = PatientModel(error_at=0)
    with TestClient(create_app(make_graph(large=large, on_large_failure="raise"), settings=BARE)) as client:
        response = client.post("/v1/chat/completions", json=chat("hard"))
        assert (response.status_code, response.json()["error"]["code"]) == (502, "model_error")
        assert "SECRET" not in response.text
        streamed = client.post("/v1/chat/completions", json=chat("hard", stream=True))
    assert "SECRET" not in streamed.text
    assert '"code":"model_error"' in streamed.text
    assert "[DONE]" not in streamed.text


def test_the_official_client_raises_where_a_stream_ends_in_an_error() -> None:
    large = PatientModel(pieces=("half an", "answer"), error_at=1)
    with (
        served(create_app(make_graph(large=large), settings=BARE)) as running,
        openai.OpenAI(base_url=f"{running.url}/v1", api_key="none", max_retries=0) as client,
        client.chat.completions.create(model="automix", messages=said("hard"), stream=True) as stream,
        pytest.raises(openai.APIError, match="in the middle of its answer"),
    ):
        list(stream)


def test_an_answer_that_degrades_is_marked() -> None:
    with TestClient(create_app(make_graph(large=PatientModel(error_at=0)), settings=BARE)) as client:
        response = client.post("/v1/chat/completions", json=chat("hard"))
        assert response.json()["choices"][0]["message"]["content"] == DRAFT
        assert response.headers["x-automix-degraded"] == "true"
        text = client.post("/v1/chat/completions", json=chat("hard", stream=True)).text
    chunks = [json.loads(data) for line in text.splitlines() if (data := line.removeprefix("data: ")).startswith("{")]
    assert "".join(chunk["choices"][0]["delta"].get("content", "") for chunk in chunks) == DRAFT
    assert chunks[-1]["automix"]["degraded"] is True


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/ask"])
def test_a_rejected_draft_is_in_no_byte(ask: TestClient, path: str) -> None:
    body = {"question": "hard"} if path == "/ask" else chat("hard", stream=True)
    text = ask.post(path, json=body).text
    assert "LARGE" in text
    assert "DRAFT" not in text


def test_a_follow_up_question_is_condensed_where_the_graph_does_that() -> None:
    small = ScriptedChatModel(["When did James Watt die?", "In 1819."], label="small")
    with TestClient(create_app(make_graph(small=small, condense=True))) as ask:
        said = [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Who was James Watt?"},
            {"role": "assistant", "content": "An engineer."},
            {"role": "user", "content": "When did he die?"},
        ]
        body = ask.post("/v1/chat/completions", json={"model": "automix", "messages": said}).json()
    assert body["choices"][0]["message"]["content"] == "In 1819."
    condensing, answering = small.prompt_texts
    assert "User: Who was James Watt?\nAssistant: An engineer.\n\nLast question: When did he die?" in condensing
    assert "Be brief" not in condensing
    assert "Question: When did James Watt die?" in answering
    assert body["automix"]["calls"] == 3
