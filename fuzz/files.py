"""Fuzz the readers of files that people edit: policies, data sets, records. They load, or say what is wrong with what.

The first byte of an input chooses the reader, the rest is the file.
"""

from __future__ import annotations

import atexit
import json
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

import guided

ROOMS: Final = ("policies", "recording", "records", "batch", "evaluation.tables", "evaluation.record_files")

with guided.covering(*(f"automix_graph.{room}" for room in ROOMS), run=__name__ == "__main__"):
    from automix_graph.batch.questions import Question, Questions, Rejected
    from automix_graph.batch.rows import Keys, line_of
    from automix_graph.errors import ConfigurationError
    from automix_graph.evaluation.record_files import read_records
    from automix_graph.evaluation.tables import read_columns
    from automix_graph.policies import (
        Always,
        Capped,
        PerTier,
        RandomMix,
        Threshold,
        load_policy,
        policy_to_data,
        save_policy,
    )
    from automix_graph.recording import read_rows
    from automix_graph.records import Recorded

FOLDER: Final = Path(tempfile.mkdtemp(prefix="automix-fuzz-", dir="/dev/shm" if Path("/dev/shm").is_dir() else None))
atexit.register(shutil.rmtree, FOLDER, ignore_errors=True)


def check(data: bytes) -> None:
    """Check one file."""
    READERS[data[0] % len(READERS)](data[1:]) if data else None


def check_policy(content: bytes) -> None:
    """A policy that loads is the same after it was saved; another file is named in the error."""
    path = _written("policy.json", content)
    try:
        policy = load_policy(path)
    except ConfigurationError as error:
        assert str(path) in str(error), f"the error does not name the file: {error}"
        return
    again = path.with_name("again.json")
    save_policy(policy, again)
    assert load_policy(again, check=False) == policy, "it changed when it was saved"


def check_jsonl(content: bytes) -> None:
    """A data set in JSON Lines is questions and rejected rows."""
    _check_rows(_written("data.jsonl", content))


def check_csv(content: bytes) -> None:
    """A data set in CSV is questions and rejected rows."""
    _check_rows(_written("data.csv", content))


def _check_rows(path: Path) -> None:
    rejected: list[Rejected] = []
    try:
        questions = Questions(path, longest=100, rejecting=rejected.append)
    except ConfigurationError as error:
        assert str(path) in str(error), f"the error does not name the file: {error}"
        return
    found = list(questions)
    assert len(found) == questions.count and len(rejected) == questions.rejected
    assert len({str(question.id) for question in found}) == len(found), "an id twice"
    for question in found:
        _check_question(question)
    assert all(one.reason and one.line > 0 for one in rejected)
    _check_recording(path)


def _check_question(question: Question) -> None:
    assert question.text.strip() and len(question.text) <= 100
    key = Keys("settings").of(question).hex()
    line = line_of({"id": question.id, "question": question.text, "fingerprint": key})
    assert line.count(b"\n") == 1 and json.loads(line)["question"] == question.text


def _check_recording(path: Path) -> None:
    try:
        rows = read_rows(path)
    except ConfigurationError as error:
        assert str(path) in str(error), f"the error does not name the file: {error}"
    else:
        assert len({row.id for row in rows.rows}) == len(rows.rows)


def check_record(content: bytes) -> None:
    """A line of records is one that is written as it was read, or is refused."""
    try:
        recorded = Recorded.from_data(json.loads(content))
    except (ValueError, RecursionError):
        return
    assert Recorded.from_data(json.loads(recorded.to_json())) == recorded, "it changed when it was written"


def check_table(content: bytes) -> None:
    """A table of results is finite numbers, or is refused by name."""
    path = _written("table.jsonl" if content.startswith((b"{", b"[")) else "table.csv", content)
    try:
        (column,) = read_columns(path, ["q"]).values()
    except ConfigurationError as error:
        assert str(path) in str(error), f"the error does not name the file: {error}"
    else:
        assert len(column) > 0


def check_records(content: bytes) -> None:
    """A file of records has each id once, or is refused by name."""
    path = _written("records.jsonl", content)
    try:
        found = read_records(path)
    except ConfigurationError as error:
        assert str(path) in str(error), f"the error does not name the file: {error}"
    else:
        assert len({row.id for row in found.rows}) == len(found.rows)


def _written(name: str, content: bytes) -> Path:
    path = FOLDER / name
    path.write_bytes(content)
    return path


READERS: Final[tuple[Callable[[bytes], None], ...]] = (
    check_policy,
    check_jsonl,
    check_csv,
    check_record,
    check_table,
    check_records,
)
_DEEP: Final = b"[" * 1900
_RECORDED: Final = Recorded(id="1", error="first try").to_json().encode()
POLICIES: Final = (
    Threshold(0.5),
    Always("large"),
    RandomMix(0.5, 7),
    Capped(Threshold(0.5), 2),
    PerTier((Threshold(0.1),)),
)
SEEDS: Final = (
    b"\x00" + _DEEP,
    b"\x01" + _DEEP,
    b"\x02id,question,answers\n1,When?," + _DEEP,
    b"\x03" + _RECORDED,
    b"\x03" + _DEEP,
    b'\x04{"q": 1}\n{"q": "0.5"}\n{"q": true}\n{"q": ' + b"9" * 400 + b"}",
    b"\x04" + _DEEP,
    b"\x04a,q\n1,0.5\n",
    b"\x05" + _RECORDED + b"\n" + _RECORDED + b"\n{",
    b"\x05" + _DEEP + b"\n{}",
    *(b"\x00" + json.dumps({"schema_version": 1, **policy_to_data(policy)}).encode() for policy in POLICIES),
    b'\x01{"id": 7, "question": "When?", "answers": ["May"], "context": "In May."}\n\n{"question": "Who?"}\n[1]\n',
    b'\x02id,question,answers,context\n1,When?,"[""May"", ""June""]",\n2,"Who, ""me""?",x,y\n',
)
# fmt: off
WORDS: Final = (
    "schema_version", "policy", "calibration", "minimum", "maximum", "threshold", "double-threshold", "utility",
    "pomdp", "optimal-stopping", "bins", "edges", '"id": ', '"question": ', '"answers": ', '"context": ', "null",
    "true", "1e999", "-0.0", "NaN", "Infinity", "\\ud800", "\\u0000", ",", "[", "]", "{", "}", '"', "\ufeff", "\r\n",
)
# fmt: on

if __name__ == "__main__":
    guided.run("files", check, seeds=SEEDS, words=WORDS, description=__doc__ or "")
