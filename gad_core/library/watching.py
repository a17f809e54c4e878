"""A folder watched from the shell: new images are judged as they come, each once, also after a restart."""

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from gad_core.data.arrivals import Arrival, Arrivals
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


def watch_folder(
    detector: Detector,
    folder: PathLike,
    lines: PathLike,
    *,
    sinks: Sequence[Sink] = (),
    name: str = "",
    interval: float = 1.0,
    wait: Callable[[float], object] = time.sleep,
) -> Iterator[list[dict[str, Any]] | Refusal]:
    """Judge what comes into a folder, for ever; yields the new results of each look, and what is refused.

    The file of JSON lines is the memory: what stands there is not judged again. A result is in that file before the
    sinks have it; `name` is the detector's. Raises `GadError` where the folder is gone, the file is of another kind or
    a sink fails.
    """
    root, path = Path(folder).absolute(), Path(lines)
    known = {(line["path"], line["sha256"]) for line in read_lines(path)}
    arrivals, judge, memory = Arrivals(root), Judge.of(detector), JsonLines(path)
    try:
        while True:
            batch = arrivals.whole(time.time_ns())[:_BATCH]
            files, refused = _readable(root, batch, known)
            yield from refused
            if files:
                results = _judged(judge, name, root, files)
                memory.send(results)
                known.update((one["path"], one["sha256"]) for one in results)
                for sink in sinks:
                    sink.send(results)
                yield results
            arrivals.done(batch)
            if not batch:
                wait(interval)
    finally:
        memory.close()


def _readable(
    root: Path, batch: Sequence[Arrival], known: set[tuple[str, str]]
) -> tuple[list[ImageFile], list[Refusal]]:
    files, refused = [], []
    for path, _ in batch:
        below = path.relative_to(root).as_posix()
        try:
            digest = look_at(path)
        except ImageRefused as error:
            refused.append(Refusal(below, str(error)))
        except OSError as error:
            raise GadError(f"{path} cannot be read ({error.strerror}); allow reading it") from error
        else:
            if (below, digest) not in known:
                files.append(ImageFile(path, digest))
    return files, refused


def _judged(judge: Judge, name: str, root: Path, files: Sequence[ImageFile]) -> list[dict[str, Any]]:
    detector = judge.detector
    found = extract(ImageSet(tuple(files)), engine_of(detector.backbone), regions=detector.regions)
    verdict, version = judge(found.features), detector.version
    judged = zip(found.images, verdict.scores.tolist(), verdict.p_values.tolist(), verdict.outcomes, strict=True)
    results = []
    for file, score, p_value, outcome in judged:
        path = file.path.relative_to(root)
        results.append(
            Result(
                path.as_posix(),
                file.digest,
                path.parts[0] if len(path.parts) > 1 else None,
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
    return results
