"""Run a check on bytes that libFuzzer makes, guided by the coverage of the code under test, for a number of seconds.

What libFuzzer finds worth keeping goes to a corpus folder that is not part of the repository; seeds are written anew
from the target's own list. This module does not know what is checked.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final

WORK: Final = Path(__file__).with_name("work")
"""Corpora and findings; not in git."""


@contextlib.contextmanager
def covering(*modules: str, run: bool) -> Iterator[None]:
    """Have the coverage of modules followed that are imported within; nothing happens where a target is not run.

    Args:
        modules: by name, with all below them.
        run: whether the target is run, and not imported by a test.
    """
    if not run:
        yield
        return
    import atheris

    with atheris.instrument_imports(include=list(modules)):
        yield


Check = Callable[[bytes], None]
"""Raises for an input that breaks a law."""


def run(name: str, check: Check, *, seeds: Iterable[bytes], words: Iterable[str] = (), description: str) -> None:
    """Read the command line, and fuzz until the time is up or a law breaks; does not return.

    Args:
        name: of the target; its corpus has the same.
        check: what is called with each input.
        seeds: inputs to start from.
        words: what inputs are likely to be put together from.
        description: for ``--help``.
    """
    parser = argparse.ArgumentParser(description=description, epilog=f"python fuzz/{name}.py --seconds 600")
    parser.add_argument("--seconds", type=int, default=600, help="how long, 0 for ever  [default: 600]")
    parser.add_argument("--length", type=int, default=2000, help="bytes of an input at most  [default: 2000]")
    parser.add_argument("inputs", nargs="*", type=Path, help="check these files alone, such as a finding")
    options = parser.parse_args()
    for path in options.inputs:
        check(path.read_bytes())
    if not options.inputs:
        corpus = _corpus(name, seeds, words)
        limits = [f"-max_total_time={options.seconds}", f"-max_len={options.length}", "-timeout=30", "-len_control=0"]
        places = [f"-artifact_prefix={WORK}/{name}-", f"-dict={WORK / name}.dict", str(corpus)]
        _fuzz(check, [*limits, *places])


def _corpus(name: str, seeds: Iterable[bytes], words: Iterable[str]) -> Path:
    corpus = WORK / name
    corpus.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(seeds):
        (corpus / f"seed-{number:04d}").write_bytes(seed)
    entries = ("".join(f"\\x{byte:02x}" for byte in word.encode()) for word in words)
    (WORK / f"{name}.dict").write_text("".join(f'"{entry}"\n' for entry in entries), encoding="ascii")
    return corpus


def _fuzz(check: Check, options: list[str]) -> None:
    import atheris

    atheris.Setup([sys.argv[0], *options, "-print_final_stats=1", "-reload=0"], check)
    atheris.Fuzz()
