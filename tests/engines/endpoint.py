"""Models behind an HTTP server that speaks OpenAI's API, for commands that name models, here and in actors."""

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).parents[1] / "models"))  # a server of the API
from openai_api import answering, completion

NAMES = ("--small", "openai:small", "--large", "openai:large", "--verifier", "openai:judge")
PRICES = tuple(word for name in ("small", "large", "judge") for word in ("--price", f"openai:{name}=1/1"))
EMBEDDING = ("--embedding", "ollama:words")


@contextmanager
def models() -> Iterator[tuple[dict[str, str], list[tuple[str, int]]]]:
    """Serve models; the judge accepts every answer about an event whose number is not divisible by three.

    Yields:
        The environment in which the server is found, and model and event of each request.
    """
    asked: list[tuple[str, int]] = []

    def answer(body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        number = int(re.findall(r"event (\d+)", body["messages"][-1]["content"])[-1])
        asked.append((body["model"], number))
        judged = "Incorrect" if number % 3 == 0 else "Correct"
        return 200, completion(body, judged if body["model"] == "judge" else f"{body['model']} {number}")

    with answering(answer) as url:
        yield {"OPENAI_BASE_URL": url, "OPENAI_API_KEY": "none", "NO_PROXY": "127.0.0.1"}, asked
