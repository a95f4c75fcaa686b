"""Bearer keys: where they come from, and whether a request has one. They never come from a command line.

A command line can be read by every user of a machine, and ends up in the history of a shell.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Sequence
from pathlib import Path

from automix_graph.config import ENV_API_KEYS
from automix_graph.errors import ConfigurationError
from automix_graph.serving.settings import require_sendable


def read_keys(file: Path | None) -> tuple[str, ...]:
    r"""Return the keys of a file, one a line, else those of the environment variable, separated by commas or spaces.

    Empty lines of a file, and lines that begin with ``#``, are left out. A variable that is empty or not set gives no
    keys.

    Args:
        file: of keys; None: the variable has them, or nobody.

    Raises:
        ConfigurationError: the file cannot be read, it or the variable holds no key (a server that was given one must
            not come up open), or a key can be sent by no client.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     file = Path(folder, "api_keys")
        ...     _ = file.write_text("# rotated by ops\nsecret-key\n")
        ...     read_keys(file)
        ('secret-key',)
    """
    keys = _of_environment() if file is None else _of_file(file)
    require_sendable(keys)
    return keys


def _of_environment() -> tuple[str, ...]:
    given = os.environ.get(ENV_API_KEYS, "")
    keys = tuple(given.replace(",", " ").split())
    if given and not keys:
        raise ConfigurationError(
            f"{ENV_API_KEYS} is set and holds no key; give keys separated by commas, or unset it", code="server-keys"
        )
    return keys


def _of_file(file: Path) -> tuple[str, ...]:
    try:
        # Editors of some systems begin a file with a mark that would be part of the first key.
        lines = [line.strip() for line in file.read_text(encoding="utf-8-sig").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"the keys in {str(file)!r} cannot be read: {type(error).__name__}", code="server-keys"
        ) from error
    keys = tuple(line for line in lines if line and not line.startswith("#"))
    if not keys:
        raise ConfigurationError(f"{str(file)!r} holds no key; write one a line", code="server-keys")
    return keys


class Keyring:
    """Tells keys that open from those that do not, in a time that says nothing about them.

    Args:
        keys: that open.

    Example:
        >>> ring = Keyring(["first-key", "second-key"])
        >>> ring.opens("Bearer second-key"), ring.opens("Bearer second"), ring.opens(None)
        (True, False, False)
    """

    def __init__(self, keys: Sequence[str]) -> None:
        self._digests = tuple(_digest(key) for key in keys)

    def __bool__(self) -> bool:
        return bool(self._digests)

    def opens(self, authorization: str | None) -> bool:
        """Return whether the value of an ``Authorization`` header holds one of the keys."""
        scheme, _, token = (authorization or "").partition(" ")
        given = _digest(token.strip())
        # All are compared, and digests have one length: neither the place of a key nor its length shows in the time.
        found = [hmac.compare_digest(given, digest) for digest in self._digests]
        return any(found) and scheme.lower() == "bearer"


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).digest()
