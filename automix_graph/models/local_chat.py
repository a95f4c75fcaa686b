"""The chat model class of local models: `ChatOpenAI`, spoken to llama.cpp in a process beside this one.

Imported only when a local model is used, because langchain-openai is an optional dependency.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any, ClassVar, Final, Self

import httpx
from langchain_core.language_models import LanguageModelInput
from langchain_openai import ChatOpenAI
from pydantic import PrivateAttr, SecretStr

from automix_graph.models.endpoint import Endpoint
from automix_graph.models.rerouting import AsyncRerouting, Rerouting, Whereabouts
from automix_graph.models.scoring import Way

# A busy model answers late, and a limit belongs to the question, not to the connection.
_TIMEOUT: Final = httpx.Timeout(None, connect=10.0)
# A kept connection belongs to an event loop and needs closing; a model outlives both. New ones are cheap on loopback.
_LIMITS: Final = httpx.Limits(max_keepalive_connections=0)
# Control tokens that a converter forgot to mark as such still look like this.
_CONTROL_SHAPE: Final = r"<\|[\w.\-]+\|>"


class LocalChatModel(ChatOpenAI):
    """A model that runs on this machine.

    Text of messages is data: a control token spelled in it (``<|im_end|>``) reaches the model with a space inside, as
    the characters that it consists of, so that a document cannot end the message that quotes it.

    Attributes:
        label: what the model is called in records, costs and errors.
    """

    continues_replies: ClassVar[bool] = True
    """Whether a last message of the assistant is continued rather than answered."""
    scores_replies: ClassVar[Way] = "forced"
    """How the probability of a given reply is read."""
    counts_exactly: ClassVar[bool] = True
    """Whether ``get_num_tokens`` asks the model itself."""

    most_choices: ClassVar[int] = 1
    """How many replies one request may ask for: llama.cpp reports the tokens of one of them alone."""
    most_requests: ClassVar[int] = 1
    """How many requests for replies to one prompt run at one time: each further slot would read the prompt anew."""

    label: str
    _control: re.Pattern[str] = PrivateAttr(default=re.compile(_CONTROL_SHAPE))

    @classmethod
    def at(
        cls,
        endpoint: Endpoint,
        *,
        label: str,
        control_tokens: Iterable[str],
        max_tokens: int,
        renewed: Callable[[], Endpoint] | None = None,
    ) -> Self:
        """Return the model that answers at an endpoint.

        Args:
            endpoint: where it answers.
            label: what to call it.
            control_tokens: words that steer the model, and must not come from text.
            max_tokens: length of an answer, where a call does not say.
            renewed: returns where the model answers when nobody does at the endpoint any more; None: nowhere else.
        """
        whereabouts = Whereabouts(endpoint, renewed or (lambda: endpoint))
        model = cls(
            label=label,
            model=label,
            base_url=endpoint.base_url,
            api_key=SecretStr(endpoint.api_key),
            temperature=0,
            max_completion_tokens=max_tokens,
            max_retries=0,
            use_responses_api=False,
            stream_usage=True,
            # Loopback traffic must not go through a proxy of the environment.
            http_client=httpx.Client(
                trust_env=False,
                timeout=_TIMEOUT,
                transport=Rerouting(whereabouts, httpx.HTTPTransport(trust_env=False, limits=_LIMITS)),
            ),
            http_async_client=httpx.AsyncClient(
                trust_env=False,
                timeout=_TIMEOUT,
                transport=AsyncRerouting(whereabouts, httpx.AsyncHTTPTransport(trust_env=False, limits=_LIMITS)),
            ),
            http_socket_options=(),
        )
        longest_first = sorted(control_tokens, key=len, reverse=True)
        model._control = re.compile("|".join([*map(re.escape, longest_first), _CONTROL_SHAPE]))
        return model

    def inert(self, text: str) -> str:
        """Return a text in which control tokens are spelled so that the model reads them as characters."""
        return self._control.sub(lambda token: f"{token[0][0]} {token[0][1:]}", text)

    def get_token_ids(self, text: str) -> list[int]:
        """Return the tokens as which the model reads a text, without those of the chat around it."""
        assert self.http_client is not None  # `at` gives it
        key = self.openai_api_key.get_secret_value() if isinstance(self.openai_api_key, SecretStr) else ""
        response = self.http_client.post(
            f"{str(self.openai_api_base).removesuffix('/v1')}/tokenize",
            headers={"Authorization": f"Bearer {key}"},
            # A lone surrogate has no UTF-8 form.
            json={"content": self.inert(text).encode("utf-8", "replace").decode("utf-8"), "add_special": False},
        )
        response.raise_for_status()
        tokens: list[int] = response.json()["tokens"]
        return tokens

    def get_num_tokens(self, text: str) -> int:
        """Return the number of tokens as which the model reads a text, without those of the chat around it."""
        return len(self.get_token_ids(text))

    def _get_request_payload(
        self, input_: LanguageModelInput, *, stop: list[str] | None = None, **kwargs: Any
    ) -> dict[str, Any]:
        payload = super()._get_request_payload(input_, stop=stop, **kwargs)
        payload["messages"] = [{**message, "content": self._inert_content(message)} for message in payload["messages"]]
        return payload

    def _inert_content(self, message: dict[str, Any]) -> Any:
        content = message.get("content")
        if isinstance(content, str):
            return self.inert(content)
        if isinstance(content, list):
            return [{**part, "text": self.inert(part["text"])} if "text" in part else part for part in content]
        return content
