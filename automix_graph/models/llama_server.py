"""The process that runs one GGUF model; a script, started by `automix_graph.models.runtime` and by nobody else.

Reads one line of JSON from stdin (path, label, key, context_tokens, parallel, threads), loads the model, answers with
one line of JSON on stdout (``url`` or ``error``), and lives until stdin ends, as it does when the parent is gone.
Imports nothing of this package, so that it starts fast.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from typing import Any, Final

_PROMPT_CACHE_MIB: Final = 512
_ERRORS_ONLY: Final = 1


def main() -> None:
    """Serve the model that stdin asks for until stdin ends."""
    # Ctrl-C goes to every process of a terminal, but the parent decides whether it ends anything.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    reply = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # Whatever a library prints must not look like the reply.
    try:
        server = _start(json.loads(sys.stdin.readline()))
        message = {"url": server.listening_address}
    except Exception as error:
        message = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps(message), file=reply, flush=True)
    if "url" in message:
        sys.stdin.read()
    # Without destructors: they would wait for requests that nobody reads any more.
    os._exit(0)


def _start(request: dict[str, Any]) -> Any:
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = request["path"]
    params.model_alias = {request["label"]}
    params.api_keys = [request["key"]]
    params.n_ctx = request["context_tokens"]
    params.n_parallel = request["parallel"]
    # One context for all slots, so that a single long request may use all of it.
    params.kv_unified = True
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = request["threads"]
    params.cache_prompt = True
    params.cache_ram_mib = _PROMPT_CACHE_MIB
    # A last message of the assistant is continued, not answered: verifiers ask for the next word.
    params.prefill_assistant = True
    params.ui = params.endpoint_props = params.endpoint_slots = params.endpoint_metrics = False
    params.verbosity = _ERRORS_ONLY
    return xllamacpp.Server(params)


if __name__ == "__main__":
    main()
