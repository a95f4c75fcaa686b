"""Laws of journals: cut off at any byte and gone on with, no row is lost, doubled or half read."""

import json
import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from automix_graph.batch.journal import BatchJournal
from automix_graph.batch.questions import Question
from automix_graph.batch.rows import Keys, line_of
from automix_graph.errors import ConfigurationError
from automix_graph.recording.journal import Journal
from automix_graph.recording.settings import Settings
from automix_graph.records import Recorded

SETTINGS = Settings(described={"small": {"label": "a"}, "k": 4})
KEYS = Keys(SETTINGS.fingerprint)
TEXTS = st.text(max_size=8) | st.sampled_from(["五月\u2028\x85", '{"id":1}\n', "\ud800", "}\r\n"])


def key_of(number: int) -> bytes:
    return KEYS.of(Question(id=number, text="Q"))


def row(number: int, answer: str, cost: float) -> bytes:
    usage = {"cost_at_least": cost, "unpriced_calls": 0, "charged": 0.0}
    told = {"answer": answer, "route": "small", "degraded": False, "cost": cost, "usage": usage, "error": None}
    return line_of({"id": number, **told, "fingerprint": key_of(number).hex()})


@pytest.fixture(autouse=True)
def _no_fsync(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)


@settings(max_examples=60, deadline=None)
@given(rows=st.lists(st.tuples(TEXTS, st.integers(0, 64)), min_size=1, max_size=5), data=st.data())
def test_a_batch_journal_that_was_cut_off_goes_on(
    rows: list[tuple[str, int]], data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    lines = [row(number, answer, cost / 64) for number, (answer, cost) in enumerate(rows)]
    path = tmp_path_factory.getbasetemp() / "out.journal"
    path.unlink(missing_ok=True)
    with BatchJournal(path, SETTINGS) as journal:
        for line in lines:
            journal.append(line)
    head, written = SETTINGS.to_json().encode() + b"\n", path.read_bytes()
    assert written == head + b"".join(lines)

    cut = data.draw(st.integers(0, len(written)))
    path.write_bytes(written[:cut])
    # A line that lacks its line feed alone is whole.
    ends = [len(head) + sum(map(len, lines[: n + 1])) for n in range(len(lines))]
    kept = sum(end - 1 <= cut for end in ends)
    whole = ends[kept - 1] if kept else (len(head) if cut >= len(head) - 1 else 0)
    with BatchJournal(path, SETTINGS) as journal:
        assert journal.count == kept
        assert [journal.find(key_of(n)) is not None for n in range(len(lines))] == [n < kept for n in range(len(lines))]
        assert all(journal.row_at(journal.find(key_of(n)) or 0) == lines[n] for n in range(kept))
        assert journal.cut == max(cut - whole, 0)
        assert journal.spent.cost == sum(cost / 64 for _, cost in rows[:kept])
        for line in lines[kept:]:
            journal.append(line)
    assert path.read_bytes() == written


@settings(max_examples=60, deadline=None)
@given(ids=st.lists(TEXTS.filter(bool), min_size=1, max_size=4, unique=True), data=st.data())
def test_a_file_of_records_that_was_cut_off_goes_on(
    ids: list[str], data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "records.jsonl"
    path.unlink(missing_ok=True)
    rows = [Recorded(id=id_, settings=SETTINGS.fingerprint, error="e") for id_ in ids]
    with Journal(path, SETTINGS) as journal:
        for each in rows:
            journal.append(each)
    written = path.read_bytes()
    path.write_bytes(written[: data.draw(st.integers(0, len(written)))])
    with Journal(path, SETTINGS) as journal:
        kept = list(journal.entries)
        assert kept == ids[: len(kept)], "the rows that are left are the first ones"
        for each in rows[len(kept) :]:
            journal.append(each)
        assert journal.replaced == 0
    assert path.read_bytes() == written


@settings(max_examples=60, deadline=None)
@given(content=st.binary(max_size=60) | st.dictionaries(st.text(max_size=5), st.none()).map(json.dumps).map(str.encode))
def test_somebody_elses_file_is_refused_and_left_as_it_is(
    content: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "other.journal"
    path.write_bytes(content)
    try:
        with BatchJournal(path, SETTINGS):
            # what may be the beginning of a journal, or nothing
            assert SETTINGS.to_json().encode().startswith(content.lstrip()) or not content.strip()
    except ConfigurationError as error:
        assert str(path) in str(error)
        assert path.read_bytes() == content
