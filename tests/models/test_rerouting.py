"""A local server that is gone is found again, and the request goes there; one that took a request is asked once."""

from __future__ import annotations

import httpx
import pytest

from automix_graph.models.endpoint import Endpoint
from automix_graph.models.rerouting import AsyncRerouting, Rerouting, Whereabouts

OLD = Endpoint(base_url="http://127.0.0.1:1001/v1", api_key="old")
NEW = Endpoint(base_url="http://127.0.0.1:1002/v1", api_key="new")


class Network:
    """Answers where somebody listens, and counts."""

    def __init__(self, *listening: int, failing: type[Exception] | None = None) -> None:
        self.listening = listening
        self.failing = failing
        self.seen: list[tuple[int | None, str, bytes]] = []
        self.renewals = 0

    def handle(self, request: httpx.Request) -> httpx.Response:
        self.seen.append((request.url.port, request.headers["Authorization"], request.content))
        if request.url.port not in self.listening:
            raise httpx.ConnectError("nobody is there")
        if self.failing is not None:
            raise self.failing("broken off")
        assert request.headers["Host"] == f"127.0.0.1:{request.url.port}"
        return httpx.Response(200, text="yes")

    def renewed(self) -> Endpoint:
        self.renewals += 1
        return NEW


def ask(network: Network, whereabouts: Whereabouts) -> httpx.Response:
    with httpx.Client(transport=Rerouting(whereabouts, httpx.MockTransport(network.handle))) as client:
        return client.post(
            f"{OLD.base_url}/chat/completions", content=b"prompt", headers={"Authorization": "Bearer old"}
        )


async def aask(network: Network, whereabouts: Whereabouts) -> httpx.Response:
    transport = AsyncRerouting(whereabouts, httpx.MockTransport(network.handle))
    async with httpx.AsyncClient(transport=transport) as client:
        return await client.post(f"{OLD.base_url}/chat/completions", content=b"prompt")


def test_a_server_that_is_there_is_asked() -> None:
    network = Network(1001)
    assert ask(network, Whereabouts(OLD, network.renewed)).text == "yes"
    assert (network.seen, network.renewals) == ([(1001, "Bearer old", b"prompt")], 0)


def test_a_server_that_is_gone_is_renewed_once() -> None:
    network = Network(1002)
    whereabouts = Whereabouts(OLD, network.renewed)
    for _ in range(2):
        assert ask(network, whereabouts).text == "yes"
    assert network.seen == [
        (1001, "Bearer old", b"prompt"),
        (1002, "Bearer new", b"prompt"),
        (1002, "Bearer new", b"prompt"),
    ]
    assert network.renewals == 1


async def test_so_it_is_asynchronously() -> None:
    network = Network(1002)
    whereabouts = Whereabouts(OLD, network.renewed)
    assert (await aask(network, whereabouts)).text == "yes"
    assert [port for port, *_ in network.seen] == [1001, 1002]
    assert (await aask(network, whereabouts)).text == "yes"
    assert network.renewals == 1


def test_a_request_that_was_taken_is_not_sent_again() -> None:
    network = Network(1001, failing=httpx.ReadError)
    with pytest.raises(httpx.ReadError):
        ask(network, Whereabouts(OLD, network.renewed))
    assert (len(network.seen), network.renewals) == (1, 0)


def test_nobody_there_a_second_time_is_an_error() -> None:
    network = Network()
    with pytest.raises(httpx.ConnectError):
        ask(network, Whereabouts(OLD, network.renewed))
    assert len(network.seen) == 2


def test_two_that_find_a_server_gone_renew_it_once() -> None:
    network = Network(1002)
    whereabouts = Whereabouts(OLD, network.renewed)
    assert whereabouts.after(OLD) == whereabouts.after(OLD) == NEW
    assert network.renewals == 1
