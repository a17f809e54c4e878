"""The scoring service: images in, verdicts out, over HTTP; with health, metrics, and sinks for the results."""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, File, HTTPException, Query, Request, Response, UploadFile
from fastapi.responses import JSONResponse
from fastapi.security import HTTPBearer
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gad_core.errors import GadError, ImageRefused
from gad_core.export.answers import Health, Refused, Results, health_of, record_of, result_of
from gad_core.export.delivery import Delivery
from gad_core.export.hosts import OWN, answers_to, from_elsewhere
from gad_core.export.metrics import Metrics
from gad_core.export.scoring import Scorer
from gad_core.export.sinks import Sink

MAX_FILES = 100  # of a request
MAX_BYTES = 256 * 2**20  # of a request
_AGAIN = {"Retry-After": "1"}
_OPEN = {"/live", "/docs", "/openapi.json"}  # without a token: they say nothing of the detector's verdicts
_ONE_IMAGE = {"requestBody": {"content": {"image/*": {"schema": {"type": "string", "format": "binary"}}}}}

_Named = tuple[str, Callable[[], Awaitable[bytes]]]  # an image's name, and what reads it


@dataclass(frozen=True)
class Service:
    """What an application serves."""

    scorer: Scorer
    name: str  # of the detector
    decision: str | None = None  # under which its threshold is on record
    token: str | None = field(default=None, repr=False)
    sinks: Sequence[Sink] = ()
    hosts: Sequence[str] = OWN  # names under which it may be asked
    deliveries: list[Delivery] = field(default_factory=list, init=False)

    @cached_property
    def metrics(self) -> Metrics:
        """What is counted."""
        return Metrics(self.name, self.scorer.detector)

    @cached_property
    def judging(self) -> Health:
        """What it judges with; the sinks change."""
        return health_of(self.name, self.scorer.judge, self.decision)

    @asynccontextmanager
    async def running(self, _: FastAPI) -> AsyncIterator[None]:
        """Hand results on while the application runs; what was taken in is answered and handed on before it ends."""
        self.deliveries.extend(Delivery(sink) for sink in self.sinks)
        yield
        await asyncio.to_thread(self.scorer.close)
        for delivery in self.deliveries:
            await asyncio.to_thread(delivery.close)


def make_app(service: Service) -> FastAPI:
    """Make the application."""
    app = FastAPI(
        title=f"GAD: {service.name}",
        summary="Verdicts of a Gaussian anomaly detector.",
        version=service.judging.version,
        lifespan=service.running,
    )

    app.add_middleware(_Counted, service=service)

    @app.get("/live")
    async def live() -> dict[str, str]:
        """Whether the service is up, without a token and without details."""
        return {"status": "ok"}

    # `_Counted` asks for the token, before a body is read; this tells OpenAPI.
    app.include_router(_routes(service), dependencies=[Depends(HTTPBearer(auto_error=False))] if service.token else [])
    return app


def _routes(service: Service) -> APIRouter:
    router = APIRouter()

    @router.post("/score", responses={401: {}, 411: {}, 413: {}, 503: {}}, openapi_extra=_ONE_IMAGE)
    async def score(
        request: Request,
        files: Annotated[list[UploadFile] | None, File(description=f"Images, {MAX_FILES} at most.")] = None,
        name: Annotated[str, Query(max_length=1000, description="Of an image that is the whole body.")] = "",
        lot: Annotated[str | None, Query(max_length=200, description="Told to the sinks.")] = None,
        regions: Annotated[bool, Query(description="Whether to answer with the map of regions.")] = False,
    ) -> Results:
        """Judge images; one that cannot be read is refused, and the others are judged."""
        images: list[_Named] = [(_text(file.filename or ""), file.read) for file in files or ()]
        if request.headers.get("content-type", "").startswith("image/"):
            images = [(_text(name), request.body)]
        if not images:
            raise HTTPException(422, "send images as multipart/form-data in the field files, or one as image/*")
        if len(images) > MAX_FILES:
            raise HTTPException(413, f"a request holds {MAX_FILES} images at most, got {len(images)}; send several")
        results = await _score(service, images, regions=regions)
        service.metrics.results(results)
        records = [record_of(image, service.judging, lot=lot) for image in results.images]
        for delivery in service.deliveries:
            delivery.put(records)
        return results

    @router.get("/health")
    async def health() -> Health:
        """What the service judges with, and how its sinks are."""
        failing = [delivery.error for delivery in service.deliveries if delivery.error]
        return service.judging.model_copy(update={"sinks": failing})

    @router.get("/metrics")
    async def metrics() -> Response:
        """Counters and histograms for Prometheus."""
        dropped = sum(delivery.dropped for delivery in service.deliveries)
        return Response(service.metrics.text(dropped), media_type=Metrics.media_type)

    return router


async def _score(service: Service, images: Sequence[_Named], *, regions: bool) -> Results:
    """Judge the images of a request."""
    waiting, results = [], Results(images=[], refused=[])
    for name, read in images:
        try:
            waiting.append((name, service.scorer.submit(await read())))
        except GadError as error:  # too many wait, or the service stops
            raise HTTPException(503, str(error), _AGAIN) from error
    for name, answer in waiting:
        try:
            scored = await asyncio.wrap_future(answer)
        except ImageRefused as refusal:
            results.refused.append(Refused(path=name, reason=str(refusal)))
        else:
            results.images.append(result_of(name, scored, service.scorer.judge, regions=regions))
    return results


def _text(name: str) -> str:
    """A name that can be answered: a client may declare a character set that decodes to no text."""
    return name.encode("utf-8", "replace").decode()


def _knows(headers: Headers, token: str) -> bool:
    """Whether a client says the token."""
    scheme, _, given = headers.get("authorization", "").partition(" ")
    return scheme.lower() == "bearer" and secrets.compare_digest(given.encode(), token.encode())


class _Counted:
    """Counts requests, and refuses what is too large before it is read."""

    def __init__(self, app: ASGIApp, service: Service) -> None:
        self._app, self._service = app, service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one, and count it by its status."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = time.perf_counter(), 500

        async def noticing(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        try:
            await (_turned_away(scope, self._service) or self._app)(scope, receive, noticing)
        finally:
            self._service.metrics.request(scope["path"], status, time.perf_counter() - began)


def _turned_away(scope: Scope, service: Service) -> Response | None:
    """Refuse, before a body is read, foreign names and pages, who does not know the token, and what is too large."""
    headers, token = Headers(scope=scope), service.token
    host = headers.get("host", "")
    if not answers_to(host, service.hosts):
        return JSONResponse({"detail": "this service does not answer to this name; see --allowed-host"}, 403)
    if from_elsewhere(headers.get("origin"), host):
        return JSONResponse({"detail": "a page from elsewhere may not use this service"}, 403)
    if token and scope["path"] not in _OPEN and not _knows(headers, token):
        answer = {"detail": "this service asks for its token"}
        return JSONResponse(answer, 401, {"WWW-Authenticate": "Bearer"})
    return _too_large(scope)


def _too_large(scope: Scope) -> Response | None:
    """Refuse what is too large, or does not say how large it is."""
    if scope["method"] != "POST":
        return None
    length = Headers(scope=scope).get("content-length", "")
    if not length.isdigit():
        return Response("say with Content-Length how long the request is", 411)
    if int(length) > MAX_BYTES:
        return Response(f"a request holds {MAX_BYTES // 2**20} MiB at most; send fewer images", 413)
    return None
