"""A folder watched from the shell: new images are judged as they come, each once, also after a restart."""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from gad_core.data.arrivals import Arrival, Arrivals, lot_of, told
from gad_core.data.datasets import ImageFile, ImageSet, Refusal, look_at
from gad_core.decision.verdict import Judge
from gad_core.errors import GadError, ImageRefused
from gad_core.export.result import Result
from gad_core.export.sinks import JsonLines, Sink, read_lines
from gad_core.features.extract import extract
from gad_core.gaussian.detector import Detector
from gad_core.library.reading import PathLike
from gad_core.library.resources import engine_of

_BATCH = 32  # images whose lines are written together
_LONGEST_PAUSE = 30.0  # seconds between two attempts to hand results on
_log = logging.getLogger(__name__)


def watch_folder(
    detector: Detector,
    folder: PathLike,
    lines: PathLike,
    *,
    target_fpr: float | None = None,
    method: str | None = None,
    sinks: Sequence[Sink] = (),
    name: str = "",
    interval: float = 1.0,
    wait: Callable[[float], object] = time.sleep,
) -> Iterator[list[dict[str, Any]] | Refusal]:
    """Judge what comes into a folder, for ever; yields the new results of each look, and what is refused.

    The file of JSON lines is the memory: what stands there is not judged again. The sinks have a result before that, so
    that none is lost; one that is away is asked until it answers. `name` is the detector's. Raises `GadError` where the
    folder is gone or the file is of another kind.
    """
    root, path = Path(folder).absolute(), Path(lines)
    known = {(line["path"], line["sha256"]) for line in read_lines(path)}
    arrivals, judge, memory = Arrivals(root), Judge.of(detector, target_fpr=target_fpr, method=method), JsonLines(path)
    try:
        while True:
            batch = arrivals.whole(time.time_ns())[:_BATCH]
            files, refused = _readable(arrivals, batch, known)
            if files:
                results, unread = _judged(judge, name, root, files)
                refused += unread
                for sink in sinks:
                    _insist(sink, results, wait)
                memory.send(results)
                known.update((one["path"], one["sha256"]) for one in results)
                yield results
            yield from refused
            arrivals.done(batch)
            if not batch:
                wait(interval)
    finally:
        memory.close()


def _insist(sink: Sink, results: list[dict[str, Any]], wait: Callable[[float], object]) -> None:
    """Hand results on, however long that takes."""
    pause = 1.0
    while True:
        try:
            sink.send(results)
        except GadError as error:
            _log.warning("%s; trying again", error)
            wait(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)
        else:
            return


def _readable(
    arrivals: Arrivals, batch: Sequence[Arrival], known: set[tuple[str, str]]
) -> tuple[list[ImageFile], list[Refusal]]:
    files, refused = [], []
    for path, _ in batch:
        try:
            name, digest = arrivals.name(path), look_at(path)
        except ImageRefused as error:
            refused.append(Refusal(told(arrivals.root, path), str(error)))
        except OSError as error:
            raise GadError(f"{path} cannot be read ({error.strerror}); allow reading it") from error
        else:
            if (name, digest) not in known:
                files.append(ImageFile(path, digest))
    return files, refused


def _judged(
    judge: Judge, name: str, root: Path, files: Sequence[ImageFile]
) -> tuple[list[dict[str, Any]], list[Refusal]]:
    detector = judge.detector
    regions, up_to = detector.reads(judge.tuning)
    found = extract(ImageSet(tuple(files)), engine_of(detector.backbone), regions=regions, up_to=up_to)
    verdict, version = judge(found.features), detector.version
    judged = zip(found.images, verdict.scores.tolist(), verdict.p_values.tolist(), verdict.outcomes, strict=True)
    results = []
    for file, score, p_value, outcome in judged:
        path = file.path.relative_to(root).as_posix()
        results.append(
            Result(
                path,
                file.digest,
                lot_of(path),
                score,
                p_value,
                verdict.threshold,
                verdict.reject_above,
                outcome,
                name,
                version,
                None,
            ).to_json()
        )
    return results, [Refusal(told(root, Path(one.path)), one.reason) for one in found.images.refused]
