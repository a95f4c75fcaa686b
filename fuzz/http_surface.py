"""Fuzz the server: schemathesis from the application's own OpenAPI schema, and bytes that are hardly HTTP beside it.

The application is served on loopback by uvicorn, as ``automix serve`` does it, over scripted models that repeat what
they were asked. Nothing that a client sends may cost the server more than the request: no answer of 500 and above, no
response that differs from the schema, no line of an unexpected error in the log, no place or task that stays taken.
"""

from __future__ import annotations

import argparse
import logging
import os
import random
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

import httpx
from malformed import exchange, request
from scripted_server import Scripted, scripted_server

WORK: Final = Path(__file__).with_name("work")
CONFIG: Final = Path(__file__).with_name("schemathesis.toml")


def main() -> int:
    """Read the command line, fuzz, and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, epilog="python fuzz/http_surface.py --seconds 600")
    parser.add_argument("--seconds", type=int, default=600, help="how long  [default: 600]")
    parser.add_argument("--seed", type=int, help="of both parts  [default: another one each time]")
    parser.add_argument("--only", choices=["schema", "bytes"], help="one of the two parts  [default: both]")
    parser.add_argument("inputs", nargs="*", type=Path, help="send these files alone, such as a finding")
    options = parser.parse_args()
    seed = random.SystemRandom().randrange(2**32) if options.seed is None else options.seed
    print(f"seed {seed}")
    with scripted_server() as server:
        if options.inputs:
            findings = [found for path in options.inputs for found in send(server.address, path.read_bytes())]
        else:
            findings = fuzz(server, seconds=options.seconds, seed=seed, only=options.only)
        findings += left_behind(server)
    print("\n".join(findings) or "no findings")
    return bool(findings)


def fuzz(server: Scripted, *, seconds: int, seed: int, only: str | None) -> list[str]:
    """Fuzz with both parts at once, or one, and return what was found."""
    running = None if only == "bytes" else schemathesis(server.url, seconds=seconds, seed=seed)
    findings = [] if only == "schema" else send_bytes(server.address, seconds=seconds, seed=seed)
    if running is not None and running.wait() != 0:
        findings.append("schemathesis has failures, see above")
    return findings


def schemathesis(url: str, *, seconds: int, seed: int) -> subprocess.Popen[bytes]:
    """Start schemathesis: examples, coverage, fuzzing and stateful sequences, until the time is up."""
    command = ["-c", "from schemathesis.cli import schemathesis; schemathesis()", f"--config-file={CONFIG}", "run"]
    limits = [f"--max-time={seconds}", f"--seed={seed}", "--continue-on-failure", "--no-color"]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent), "SCHEMATHESIS_HOOKS": ""}
    return subprocess.Popen([sys.executable, *command, *limits, f"{url}/openapi.json"], env=environment)


def send_bytes(address: tuple[str, int], *, seconds: int, seed: int) -> list[str]:
    """Send malformed requests until the time is up, and return what was found; inputs of findings are kept."""
    chance, until, sent = random.Random(seed), time.monotonic() + seconds, 0
    findings: list[str] = []
    while time.monotonic() < until and len(findings) < 20:
        data = request(chance)
        found = send(address, data)
        sent += 1
        if found:
            WORK.mkdir(exist_ok=True)
            (WORK / f"http-{seed}-{sent}").write_bytes(data)
            findings += [f"{one} (fuzz/work/http-{seed}-{sent})" for one in found]
    print(f"{sent} malformed requests sent")
    return findings


def send(address: tuple[str, int], data: bytes) -> list[str]:
    """Send bytes, and return what is wrong with the answers."""
    return exchange(address, data).problems()


def left_behind(server: Scripted) -> list[str]:
    """Return what the server holds on to, or has logged, when nobody asks any more."""
    deadline = time.monotonic() + 20
    while (held := server.held()) and time.monotonic() < deadline:
        time.sleep(0.1)
    alive = httpx.get(f"{server.url}/healthz", timeout=10).status_code == 200
    metrics = httpx.get(f"{server.url}/metrics", timeout=10).text
    print(*(line for line in metrics.splitlines() if line.startswith("automix_requests_total")), sep="\n")
    return [*held, *server.errors(), *([] if alive else ["the server does not answer any more"])]


if __name__ == "__main__":
    logging.basicConfig(level=logging.CRITICAL)
    sys.exit(main())
