"""A Ray cluster of two nodes on this machine, one CPU each, for tests; one at a time."""

import fcntl
import logging
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
_LOCK = Path(tempfile.gettempdir()) / "automix-graph-tests-ray.lock"


@contextmanager
def two_nodes(**environment: str) -> Iterator[Any]:
    """Start a cluster whose actors find the parts of these tests, and connect this process to it.

    Args:
        environment: of the actors and of this process.

    Yields:
        The cluster, a `ray.cluster_utils.Cluster`.
    """
    import ray
    from ray._private import ray_constants
    from ray.cluster_utils import Cluster as UntypedCluster

    Cluster: Any = UntypedCluster

    own = {
        "PYTHONPATH": os.pathsep.join([str(HERE), str(HERE / "doubles"), os.environ.get("PYTHONPATH", "")]),
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",  # the loopback alone
        "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
        "RAY_BACKEND_LOG_LEVEL": "fatal",
    }
    with _LOCK.open("w") as lock, pytest.MonkeyPatch.context() as patch:
        fcntl.flock(lock, fcntl.LOCK_EX)  # workers of pytest-xdist take turns: a cluster is a dozen processes
        patch.delenv("RAY_ADDRESS", raising=False)
        for name, value in {**own, **environment}.items():
            patch.setenv(name, value)
        patch.setattr(ray_constants, "ENABLE_RAY_CLUSTER", False)
        cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
        try:
            cluster.add_node(num_cpus=1)
            ray.init(cluster.address, log_to_driver=False, logging_level=logging.ERROR)
            yield cluster
        finally:
            ray.shutdown()
            cluster.shutdown()
