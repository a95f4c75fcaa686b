"""Whether a body is JSON that every handler behind the gate can read, and repeat in an error.

Handlers of other packages fail, instead of refusing, over bytes that are no UTF-8, over texts and numbers of which no
JSON can be made again (lone surrogates, NaN, infinities), and over nesting that exhausts the stack.
"""

from __future__ import annotations

import json
import math
import re
from itertools import accumulate
from typing import Final

from automix_graph.serving.gate.failures import invalid

_MAYBE_LONE: Final = re.compile(rb"\\u[dD][89a-fA-F]")
"""An escape of half a pair of surrogates."""
_STRING: Final = re.compile(rb'"(?>(?:[^"\\]|\\.)*)(?:"|\\?\Z)', re.DOTALL)
"""One without an end goes to that of the body; else each quote in it would be read as the beginning of another."""
_MOST_NESTED: Final = 100
"""Lists and objects within each other; what repeats a body in an error takes several frames for each."""


def is_json(content_type: str) -> bool:
    """Return whether a Content-Type header says that the body is JSON.

    What comes after the type itself says nothing: browsers let the pages of any site send ``text/plain; a=json``.

    Example:
        >>> is_json("application/json; charset=utf-8"), is_json("text/plain; a=json")
        (True, False)
    """
    kind, _, name = content_type.partition(";")[0].strip().lower().partition("/")
    return kind == "application" and (name == "json" or name.endswith("+json"))


def require_json(body: bytes) -> None:
    """Refuse a body that is no JSON.

    Args:
        body: of a request.

    Raises:
        RequestFailed: it cannot be read, or holds what cannot be written as JSON again.

    Example:
        >>> require_json(b'{"question": "When?"}')
        >>> require_json(b'{"question": NaN}')
        Traceback (most recent call last):
            ...
        automix_graph.serving.gate.failures.RequestFailed: The body is not valid JSON
    """
    if _nested(body) > _MOST_NESTED:
        raise invalid(f"The body nests more than {_MOST_NESTED} lists and objects", code="invalid_json")
    try:
        data = json.loads(body.decode("utf-8"), parse_float=_finite, parse_constant=_finite)
    except ValueError as error:
        raise invalid("The body is not valid JSON", code="invalid_json") from error
    if _MAYBE_LONE.search(body):
        try:
            json.dumps(data, ensure_ascii=False).encode("utf-8")
        except UnicodeEncodeError as error:
            message = "The body holds half a pair of surrogates, which is no character"
            raise invalid(message, code="invalid_json") from error


def _nested(body: bytes) -> int:
    """Return how many lists and objects are within each other at most, or a small number that it cannot exceed."""
    if (most := body.count(b"[") + body.count(b"{")) <= _MOST_NESTED:
        return most
    steps = ((byte in b"[{") - (byte in b"]}") for byte in _STRING.sub(b"", body))
    return max(accumulate(steps), default=0)


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text[:20]} is no number of JSON")
    return number
