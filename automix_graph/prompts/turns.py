"""One turn of a chat, without a library's message classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Self

Role = Literal["system", "user", "assistant"]


@dataclass(frozen=True)
class Turn:
    """What one side says.

    Attributes:
        role: who says it.
        text: what is said.
    """

    role: Role
    text: str

    @classmethod
    def system(cls, text: str) -> Self:
        """Return a turn of the system."""
        return cls("system", text)

    @classmethod
    def user(cls, text: str) -> Self:
        """Return a turn of the user."""
        return cls("user", text)
