"""Images of many requests judged as they come: decoded side by side, run through one network, judged in batches."""

import queue
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from gad_core.data.images import content_digest, decode_resized
from gad_core.decision.verdict import Judge, Outcome, Verdict
from gad_core.errors import GadError, ImageRefused
from gad_core.features.engines import Engine
from gad_core.features.frozen import Vector
from gad_core.gaussian.detector import Detector
from gad_core.gaussian.region_whitening import RegionWhitening

_DECODERS = 2  # each holds one decoded image
# Few are judged together: a client that has its answer sends the next image, and the network has no pause.
_BATCH = 4
_WAITING = 256  # images that may wait; a decoded one at network size is 0.15 MB, an encoded one some megabytes


class Overloaded(GadError):
    """More images wait than are taken; come again."""


@dataclass(frozen=True)
class Scored:
    """One image's score, p-value and verdict; with regions their map (rows, columns), 0 usual and above 1 rare."""

    digest: str
    score: float
    p_value: float
    outcome: Outcome
    regions: NDArray[np.float64] | None


@dataclass(frozen=True)
class _Waiting:
    digest: str
    pixels: NDArray[np.uint8]
    answer: "Future[Scored]"


class Scorer:
    """Judges images from several threads; one network serves them all, in a thread of its own.

    An answer is a future: a `Scored`, or an `ImageRefused` for bytes that are no image.
    """

    def __init__(self, detector: Detector, engine: Engine) -> None:
        """Get ready to judge; raises as `judge` does, and for other weights than those of the fit."""
        detector.check_network(engine.network)
        self.detector, self._engine = detector, engine
        self.judge = Judge.of(detector)
        tuning = self.judge.tuning
        regions, up_to = detector.reads(tuning)
        self._stream = partial(engine.stream, regions=regions, up_to=up_to)
        self._distances = RegionWhitening.of(detector.known_regions(tuning), tuning) if tuning.pool else None
        self._places = threading.BoundedSemaphore(_WAITING)
        self._ready: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._decoders = ThreadPoolExecutor(_DECODERS, thread_name_prefix="gad-decode")
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="gad-scorer", daemon=True)
        self._thread.start()

    def submit(self, data: bytes) -> "Future[Scored]":
        """Take an image in; raises `Overloaded` where too many wait, and `GadError` after `close`."""
        if self._closing.is_set():
            raise GadError("the service is stopping and takes no more images; send them to another one")
        if not self._places.acquire(blocking=False):
            raise Overloaded(f"{_WAITING} images wait already; send this one again in a second")
        answer: Future[Scored] = Future()
        answer.add_done_callback(lambda _: self._places.release())
        self._decoders.submit(self._decode, data, answer)
        return answer

    def close(self) -> None:
        """Answer what was taken in, then stop."""
        self._closing.set()
        self._decoders.shutdown()
        self._ready.put(None)
        self._thread.join()

    def _decode(self, data: bytes, answer: "Future[Scored]") -> None:
        try:
            pixels = decode_resized(data, self._engine.network.backbone.input_size)
        except ImageRefused as refusal:
            answer.set_exception(refusal)
        except BaseException as error:  # whoever waits for the answer must have one
            answer.set_exception(error)
        else:
            self._ready.put(_Waiting(content_digest(data), pixels, answer))

    def _run(self) -> None:
        while (first := self._ready.get()) is not None:
            self._serve(first)

    def _serve(self, first: _Waiting) -> None:
        """Run what is ready through the network without a pause, and judge it in batches."""
        running: deque[_Waiting] = deque()
        done: list[tuple[_Waiting, Vector]] = []
        try:
            with closing(self._stream(self._images(first, running))) as vectors:
                for vector in vectors:
                    done.append((running.popleft(), vector))
                    if len(done) == _BATCH:
                        self._answer(done)
                        done = []
            if done:
                self._answer(done)
        except BaseException as error:  # as above
            for waiting in (*(one for one, _ in done), *running):
                if not waiting.answer.done():
                    waiting.answer.set_exception(error)

    def _images(self, first: _Waiting, running: deque[_Waiting]) -> Iterator[NDArray[np.uint8]]:
        waiting: _Waiting | None = first
        while waiting is not None:
            running.append(waiting)
            yield waiting.pixels
            try:
                waiting = self._ready.get_nowait()
            except queue.Empty:
                return
        self._ready.put(None)  # the end was met here; `_run` has to meet it too

    def _judged(self, features: NDArray[np.float32]) -> tuple[Verdict, Sequence[NDArray[np.float64] | None]]:
        """The verdict, and maps where regions decide, whose distances are worked out once for both."""
        tuning = self.judge.tuning
        if tuning.pool is None or self._distances is None:
            return self.judge(features), [None] * len(features)
        known = self.detector.known_regions(tuning)
        standardised = known.standard(tuning)(self._distances(features))
        maps = known.maps(standardised)
        return self.judge.of_scores(tuning.pool(standardised)), list(maps)

    def _answer(self, done: list[tuple[_Waiting, Vector]]) -> None:
        features = np.stack([vector for _, vector in done])
        verdict, maps = self._judged(features)
        rows = zip(verdict.scores.tolist(), verdict.p_values.tolist(), verdict.outcomes, maps, strict=True)
        for (waiting, _), (score, p_value, outcome, regions) in zip(done, rows, strict=True):
            waiting.answer.set_result(Scored(waiting.digest, score, p_value, outcome, regions))
