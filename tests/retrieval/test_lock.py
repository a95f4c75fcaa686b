from __future__ import annotations

import threading
import time

import pytest

from automix_graph.retrieval.lock import ReadWriteLock


def test_readers_share_the_lock() -> None:
    lock, together = ReadWriteLock(), threading.Barrier(4, timeout=5)

    def read() -> None:
        with lock.reading():
            together.wait()  # passes only when all four are inside

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(5)
    assert not together.broken


def test_a_writer_is_alone() -> None:
    lock, inside, worst = ReadWriteLock(), [0, 0], []

    def work(kind: int) -> None:
        for _ in range(100):
            with lock.writing() if kind else lock.reading():
                inside[kind] += 1
                worst.append((inside[0], inside[1]))
                time.sleep(0)
                inside[kind] -= 1

    threads = [threading.Thread(target=work, args=(kind,)) for kind in (0, 0, 0, 1, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(worst) == 500
    assert all(writers == 0 or (writers == 1 and readers == 0) for readers, writers in worst)


@pytest.mark.parametrize(("starving", "others"), [("reader", "writer"), ("writer", "reader")])
def test_nobody_starves(starving: str, others: str) -> None:
    lock, stop = ReadWriteLock(), threading.Event()

    def hold(kind: str) -> None:
        with lock.writing() if kind == "writer" else lock.reading():
            time.sleep(0.001)

    def crowd() -> None:
        while not stop.is_set():
            hold(others)

    threads = [threading.Thread(target=crowd) for _ in range(4)]
    for thread in threads:
        thread.start()
    done = threading.Thread(target=lambda: [hold(starving) for _ in range(20)])
    done.start()
    done.join(5)
    alive = done.is_alive()
    stop.set()
    for thread in [*threads, done]:
        thread.join(10)
    assert not alive


def test_is_released_after_an_error() -> None:
    lock = ReadWriteLock()
    for hold in (lock.reading, lock.writing):
        with pytest.raises(RuntimeError), hold():
            raise RuntimeError
    with lock.writing():
        pass
