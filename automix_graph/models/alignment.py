"""Which tokens at the end of a prompt spell a given text, where characters may be cut into several tokens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from automix_graph.models.logprobs import ScoredToken

LOST: Final = "\ufffd"
"""How a token that ends inside a character is reported: in its place stands this one."""
_Start = tuple[int, bool]
"""A place in a text, and whether the character there was read from parts, of which there may be more."""


def spelling_tail(tokens: Sequence[ScoredToken | None], reply: str) -> tuple[ScoredToken, ...]:
    """Return the longest tail of a prompt's tokens that spells the reply; none where no tail does.

    Args:
        tokens: of a prompt, in order; None for one that cannot be read.
        reply: with which the prompt ends.
    """
    found: list[ScoredToken] = []
    best = 0
    starts: set[_Start] = {(len(reply), False)}
    for token in reversed(tokens):
        starts = _before(starts, token.text, reply) if token else set()
        if token is None or not starts:
            break
        found.append(token)
        if any(start == 0 for start, _ in starts) and (token.text or (0, True) in starts):
            best = len(found)
    return tuple(reversed(found[:best]))


def _before(starts: set[_Start], text: str, reply: str) -> set[_Start]:
    """Return where in the reply a token may begin, from where what follows it may."""
    for character in reversed(text):
        lost = character == LOST
        read = {
            (at - 1, lost)
            for at, _ in starts
            if at and (not reply[at - 1].isascii() if lost else reply[at - 1] == character)
        }
        starts = read | {(at, True) for at, inside in starts if lost and inside}
    return starts
