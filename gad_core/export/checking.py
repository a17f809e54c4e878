"""An exported graph held against its detector, image by image, as others will run it."""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from gad_core.errors import GadError
from gad_core.export.score_graph import INPUT, OUTPUTS
from gad_core.progress import Progress

#: Engines agree so well on scores; a graph that does worse was made wrong, or runs on other arithmetic.
TOLERANCE = 1e-4


@dataclass(frozen=True)
class Agreement:
    """How a graph's scores and verdicts compare with its detector's over n images."""

    n: int
    largest_difference: float  # of a score, as a share of it or of the threshold, whichever is larger
    differing_verdicts: int
    milliseconds: float  # the median of an image, one at a time, here

    def check(self) -> None:
        """Refuse a graph that is not its detector."""
        if self.largest_difference <= TOLERANCE and not self.differing_verdicts:
            return
        raise GadError(
            f"the graph is not written, for it does not give the detector's results: over {self.n} images scores "
            f"differ by up to {self.largest_difference:.1e} (allowed: {TOLERANCE:.0e}), and "
            f"{self.differing_verdicts} verdicts do; update onnxruntime, or choose another target where the threshold "
            "is the very score of an image"
        )


def compare(
    graph: Path,
    images: Iterable[NDArray[np.uint8]],
    scores: NDArray[np.float64],
    threshold: float,
    *,
    progress: Progress | None = None,
) -> Agreement:
    """Run the graph on images (H, W, 3) whose scores (n,) the detector gave, by onnxruntime on the CPU."""
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    found, flagged, seconds = np.empty(len(scores)), np.empty(len(scores), bool), np.empty(len(scores))
    for place, image in enumerate(images):
        start = time.perf_counter()
        score, _, _, anomalous = session.run(list(OUTPUTS), {INPUT: image[np.newaxis]})
        seconds[place] = time.perf_counter() - start
        found[place], flagged[place] = score[0], anomalous[0]
        if progress:
            progress(place + 1, len(scores))
    differences = np.abs(found - scores) / np.maximum(np.abs(scores), abs(threshold))
    return Agreement(
        len(scores),
        float(differences.max()),
        int(np.count_nonzero(flagged != (scores > threshold))),
        float(1e3 * np.median(seconds)),
    )
