"""``/healthz``: the process lives. ``/readyz``: it could answer now. ``/metrics``: what it did."""

from __future__ import annotations

from fastapi import APIRouter
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.responses import JSONResponse, Response

from automix_graph.serving.doors.described import EXPOSITION, READY
from automix_graph.serving.metrics import Metrics
from automix_graph.serving.readiness import Readiness


def health_router(readiness: Readiness, metrics: Metrics) -> APIRouter:
    """Return the routes."""
    router = APIRouter(tags=["health"])

    @router.get("/healthz")
    async def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @router.get("/readyz", response_model=None, responses=READY)
    async def readyz() -> Response:
        findings = await readiness.findings()
        ready = "failed" not in findings.values()
        return JSONResponse({"ready": ready, "checks": findings}, status_code=200 if ready else 503)

    @router.get("/metrics", response_model=None, response_class=Response, responses=EXPOSITION)
    async def show_metrics() -> Response:
        return Response(metrics.text(), media_type=CONTENT_TYPE_LATEST)

    return router
