"""Names of this machine that are not its own, and pages of other sites."""

from __future__ import annotations

import pytest
from served import CHAT, KEY, client


@pytest.mark.parametrize(
    ("host", "status"),
    [("localhost:8000", 200), ("LOCALHOST", 200), ("[::1]:80", 200), ("evil.example", 403), ("localhost.evil", 403)],
)
def test_a_name_that_points_here_is_not_answered_to(host: str, status: int) -> None:
    with client(allowed_hosts=("localhost", "[::1]")) as ask:
        assert ask.get("/healthz", headers={"host": host}).status_code == status


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"sec-fetch-site": "cross-site", "origin": "https://evil.example"}, 403),
        ({"sec-fetch-site": "same-site", "origin": "http://localhost:3000"}, 403),
        ({"sec-fetch-site": "cross-site", "origin": "https://app.example"}, 200),
        ({"sec-fetch-site": "same-origin", "origin": "http://testserver"}, 200),
        ({"sec-fetch-site": "same-origin", "origin": "https://name-before-a-proxy.example"}, 200),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "https://testserver.evil.example"}, 403),
        ({"origin": "http://testserver:8000"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "https://app.example"}, 200),
        ({"origin": "http://testserver"}, 200),
        ({"origin": "https://TESTSERVER"}, 200),
        ({}, 200),
    ],
)
def test_pages_of_other_sites_ask_nothing(headers: dict[str, str], status: int) -> None:
    with client(cors_origins=("https://app.example",)) as ask:
        assert ask.post("/ask", json={"question": "easy"}, headers=headers).status_code == status


def test_cors_is_off_unless_asked_for() -> None:
    preflight = {"origin": "https://app.example", "access-control-request-method": "POST"}
    with client() as ask:
        assert "access-control-allow-origin" not in ask.options(CHAT, headers=preflight).headers
        assert "access-control-allow-origin" not in ask.get("/v1/models", headers=preflight).headers
    with client(cors_origins=("https://app.example",), keys=(KEY,)) as ask:
        allowed = ask.options(CHAT, headers=preflight)
        assert (allowed.status_code, allowed.headers["access-control-allow-origin"]) == (200, "https://app.example")
        other = ask.options(CHAT, headers=preflight | {"origin": "https://evil.example"})
        assert "access-control-allow-origin" not in other.headers
