"""What a study of synthetic defects found: curves by kind and contrast, places, examples, real defects, the ranking."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gad_core.data.datasets import Refusal
from gad_core.decision.rates import Rate
from gad_core.detectability.defects import Kind
from gad_core.detectability.detection import Pod, fit_pod
from gad_core.detectability.plan import GRID, Draw, SensitivitySettings
from gad_core.detectability.ranking import Agreement, Ranked, agreement
from gad_core.detectability.real import RealDefect
from gad_core.gaussian.tuning import Tuning, WorkingPoint

#: Probabilities of detection of which an example is shown.
EXAMPLES = (0.1, 0.5, 0.9)

_CURVE_SIZES = 41  # at which a curve is written out


@dataclass(frozen=True)
class PodCurve:
    """The POD of one kind of defect at one contrast, over its size in percent of the image's shorter side."""

    kind: Kind
    contrast: float
    pod: Pod


@dataclass(frozen=True)
class Places:
    """Of the same defects drawn in every cell of the grid, how many were caught; none drawn where not inspected."""

    hits: NDArray[np.intp]  # (rows, columns)
    draws: NDArray[np.intp]

    @property
    def shares(self) -> NDArray[np.float64]:
        """Caught, in [0, 1]; NaN where none was drawn."""
        return np.where(self.draws > 0, self.hits / np.maximum(self.draws, 1), np.nan)


@dataclass(frozen=True, kw_only=True)
class Sensitivity:
    """What a detector catches of synthetic defects, which are not real ones, at one threshold.

    Parameters
    ----------
    settings : SensitivitySettings
        What was drawn.
    tuning : Tuning
        How the detector was read.
    point : WorkingPoint
        The threshold.
    undamaged : Rate
        Share of left-out normal images that it flags as they are: below it no curve falls.
    draws : tuple of Draw
        Every defect: kind, size (percent of the shorter side), contrast, training image and place.
    scores : tuple of float
        Score of each, from the fit without its image's fold.
    n_images : int
        Training images that the data set holds, on which defects were drawn.
    n_train : int
        Training images of the detector.
    side : int
        Shorter side of the images in pixels, of the first one.
    real : tuple of RealDefect
        Test images with masked defects: size, score and whether they were caught.
    ranking : tuple of Ranked
        Settings by the size that they catch, the smallest first; empty where the images do not support the target.
    refused : tuple of Refusal
        Test images that could not be read.

    Examples
    --------
    >>> import gad_core as gad
    >>> detector, data = gad.load_detector("parts.gad"), gad.read_dataset("parts")
    >>> settings = gad.SensitivitySettings(contrasts=(0.3,), sizes=(5, 15, 40))
    >>> found = gad.sensitivity(detector, data, settings)
    >>> len(found.draws), int(found.places.draws.max()), len(found.curves), len(found.real)
    (147, 3, 1, 6)
    """

    settings: SensitivitySettings
    tuning: Tuning
    point: WorkingPoint
    undamaged: Rate
    draws: tuple[Draw, ...]
    scores: tuple[float, ...]
    n_images: int
    n_train: int
    side: int
    real: tuple[RealDefect, ...] = ()
    ranking: tuple[Ranked, ...] = ()
    refused: tuple[Refusal, ...] = ()

    @property
    def caught(self) -> NDArray[np.bool_]:
        """Whether each draw was flagged (m,)."""
        return np.array(self.scores) > self.point.threshold

    @cached_property
    def curves(self) -> tuple[PodCurve, ...]:
        """One for each kind and contrast."""
        found = []
        for kind, contrast in dict.fromkeys((draw.defect.kind, draw.defect.contrast) for draw in self.draws):
            rows = self._rows(kind, contrast)
            sizes = [self.draws[row].defect.size for row in rows]
            found.append(PodCurve(kind, contrast, fit_pod(sizes, self.caught[rows], floor=self.undamaged.value)))
        return tuple(found)

    @cached_property
    def places(self) -> Places:
        """How many were caught in every cell: blind spots."""
        cells, n = np.array([draw.cell for draw in self.draws]), GRID * GRID
        hits, draws = np.bincount(cells[self.caught], minlength=n), np.bincount(cells, minlength=n)
        return Places(hits.reshape(GRID, GRID), draws.reshape(GRID, GRID))

    @property
    def agreement(self) -> Agreement | None:
        """Rank correlation of the ranking with that by AUROC; None without labels."""
        return agreement(self.ranking)

    def examples(self, curve: PodCurve) -> tuple[int, ...]:
        """Draws (their numbers) of the sizes that are caught about 10, 50 and 90 times in 100, each of a usual score.

        Of the sizes drawn the nearest; one that is nearest to two of these is named once.
        """
        rows = self._rows(curve.kind, curve.contrast)
        sizes = np.array([self.draws[row].defect.size for row in rows])
        counts = curve.pod.counts
        level = curve.pod.curve.at(counts.sizes) if curve.pod.curve else counts.hits / counts.draws
        chosen = dict.fromkeys(float(counts.sizes[np.abs(level - share).argmin()]) for share in EXAMPLES)
        found = []
        for size in sorted(chosen):
            here = rows[sizes == size]
            scores = np.array(self.scores)[here]
            found.append(int(here[np.argsort(scores)[len(scores) // 2]]))
        return tuple(found)

    def _rows(self, kind: Kind, contrast: float) -> NDArray[np.intp]:
        same = [draw.defect.kind == kind and draw.defect.contrast == contrast for draw in self.draws]
        return np.flatnonzero(same)

    def to_json(self) -> dict[str, Any]:
        """Give plain values, as JSON holds them: what was found, and all draws, from which it is found again."""
        shares = [[None if np.isnan(share) else share for share in row] for row in self.places.shares.tolist()]
        found = self.agreement
        return {
            "settings": self.settings.to_json(),
            "tuning": self.tuning.to_json(),
            "point": self.point.to_json(),
            "undamaged": vars(self.undamaged),
            "n_images": self.n_images,
            "n_train": self.n_train,
            "side": self.side,
            "curves": [_curve_json(curve) for curve in self.curves],
            "places": {"caught": shares, "draws": self.places.draws.tolist()},
            "real": [one.to_json() for one in self.real],
            "ranking": [one.to_json() for one in self.ranking],
            "rank_correlation": vars(found) if found else None,
            "draws": [{**draw.to_json(), "score": score} for draw, score in zip(self.draws, self.scores, strict=True)],
            "refused": [vars(one) for one in self.refused],
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Sensitivity":
        """Read them back."""
        return cls(
            settings=SensitivitySettings.from_json(values["settings"]),
            tuning=Tuning.from_json(values["tuning"]),
            point=WorkingPoint.from_json(values["point"]),
            undamaged=Rate(**values["undamaged"]),
            draws=tuple(Draw.from_json(one) for one in values["draws"]),
            scores=tuple(one["score"] for one in values["draws"]),
            n_images=values["n_images"],
            n_train=values["n_train"],
            side=values["side"],
            real=tuple(RealDefect.from_json(one) for one in values["real"]),
            ranking=tuple(Ranked.from_json(one) for one in values["ranking"]),
            refused=tuple(Refusal(**one) for one in values["refused"]),
        )


def _curve_json(curve: PodCurve) -> dict[str, Any]:
    """One curve: the counts by size, a90 and a90/95 in percent of the side, and the fitted POD with its bounds."""
    pod = curve.pod
    rows = [
        {"size": size, **vars(rate)} for size, rate in zip(pod.counts.sizes.tolist(), pod.counts.rates, strict=True)
    ]
    fitted = None
    if pod.curve:
        sizes = np.geomspace(pod.counts.sizes[0], pod.counts.sizes[-1], _CURVE_SIZES)
        low, high = pod.curve.band(sizes)
        columns = {"size": sizes, "pod": pod.curve.at(sizes), "low": low, "high": high}
        fitted = {name: column.tolist() for name, column in columns.items()}
    return {
        "kind": curve.kind,
        "contrast": curve.contrast,
        "a90": pod.a90,
        "a90_95": pod.a90_95,
        "note": pod.note,
        "fit_p_value": pod.curve.p_value if pod.curve else None,
        "by_size": rows,
        "curve": fitted,
    }
