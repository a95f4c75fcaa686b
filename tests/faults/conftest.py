from collections.abc import Iterator

import pytest
from cascades import Cascades
from fault_server import serving


@pytest.fixture(scope="module")
def cascades() -> Iterator[Cascades]:
    with serving() as server:
        yield Cascades(server)
