"""faiss, for the modules that use it.

Untyped, because the stubs that faiss-cpu ships lack what its Python layer adds to its classes.
"""

from __future__ import annotations

from typing import Any

import faiss as _faiss

faiss: Any = _faiss


def reason_of(error: BaseException) -> str:
    """Return the first line of a FAISS error, whose other lines speak of its source files."""
    return str(error).splitlines()[0] if str(error) else type(error).__name__
