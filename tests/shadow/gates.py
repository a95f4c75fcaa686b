"""Gates that hold calls back until a test opens them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Gate:
    """Holds calls back until it is opened, and tells that one has begun."""

    begun: threading.Event = field(default_factory=threading.Event)
    opened: threading.Event = field(default_factory=threading.Event)

    def before(self, call: Callable[[Any], Any]) -> Callable[[Any], Any]:
        """Return a function that waits for the gate, for half a minute at most, and then does what another one does."""

        def waits(given: Any) -> Any:
            self.begun.set()
            assert self.opened.wait(30)
            return call(given)

        return waits
