"""Who can be compared: the detectors fitted to a data set, and the baselines that were run on it."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from gad_core import wording
from gad_core.attribution.explanation import Summary
from gad_core.baselines.named import BASELINES
from gad_core.data.datasets import ImageFile
from gad_core.decision.detector_comparison import Compared, compare
from gad_core.decision.localisation import Localisation
from gad_core.decision.preset_comparison import milliseconds
from gad_core.decision.rates import Rate, exceedance
from gad_core.errors import GadError
from gad_core.features.extract import load_pixels
from gad_core.gaussian.tuning import SUM
from gad_core.workspace.baseline_runs import BaselineRun, runs_of
from gad_core.workspace.explanations import runs_on
from gad_core.workspace.rows import DatasetRow, DetectorRow, detector_state
from pages.shared import opened, resources

_AT_FIRST = 4  # detectors and baselines that are chosen until somebody chooses
_TIMED = 16  # images
_MEGABYTE = 1e6

Candidate = DetectorRow | BaselineRun


@dataclass(frozen=True)
class Member:
    """One candidate on the common test images."""

    name: str
    scores: NDArray[np.float64]  # (m,)
    adopted: Rate | None = None  # good test images above the adopted threshold
    explanation: Summary | None = None
    located: Localisation | None = None
    fit_seconds: float | None = None
    milliseconds: float | None = None
    megabytes: float | None = None


@dataclass(frozen=True)
class Field:
    """The chosen ones on the test images that all of them could read."""

    files: tuple[ImageFile, ...]
    anomalous: NDArray[np.bool_]
    members: tuple[Member, ...]

    @property
    def compared(self) -> tuple[Compared, ...]:
        """Each by AUROC and at fixed rates."""
        return compare({member.name: member.scores for member in self.members}, self.anomalous)


def candidates(dataset: DatasetRow) -> dict[str, Candidate]:
    """All there are, by a name that tells them apart: the open detector first, then the newest."""
    store, first = resources.store(), opened.detector()
    rows = [row for row in store.detectors.all() if row.dataset_id == dataset.id and row.path.exists()]
    rows.sort(key=lambda row: first is None or row.id != first.id)
    found: dict[str, Candidate] = {}
    for row in rows:
        with suppress(GadError):  # a file that cannot be read stands on Home with the reason
            name = f"{row.name} · {wording.tuning(resources.summary(row).tuning)}"
            found[_free(name, found)] = row
    for run in runs_of(store, dataset.state):
        title = BASELINES[run.name].title
        found[_free(title, found)] = run
    return found


def _free(name: str, taken: dict[str, Candidate]) -> str:
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name} ({number})"
    return free


def choice(known: dict[str, Candidate]) -> dict[str, Candidate]:
    """Those that a person wants beside each other."""
    names = list(known)
    if not names:
        st.markdown("Nothing to compare yet: fit a detector, or run a baseline below.")
        return {}
    before = st.session_state.get("compared")
    if before is None or not set(before) <= set(names):  # never otherwise: it would take back what is chosen meanwhile
        st.session_state["compared"] = [name for name in before or () if name in known] or names[:_AT_FIRST]
    chosen = st.multiselect(
        "Compare",
        names,
        key="compared",
        persist_state="session",
        help="Detectors are read at their own tuning; fit one again, or change its tuning, to add another way.",
    )
    return {name: known[name] for name in chosen}


def together(dataset: DatasetRow, chosen: dict[str, Candidate]) -> Field:
    """The chosen ones on the images that all of them have scores of."""
    by_digest = {name: _scores(dataset, one) for name, one in chosen.items()}
    files = [
        file for file in resources.dataset(dataset).test if all(file.digest in scores for scores in by_digest.values())
    ]
    anomalous = np.array([file.anomalous for file in files], bool)
    members = tuple(
        _member(dataset, name, one, np.array([by_digest[name][file.digest] for file in files]), anomalous)
        for name, one in chosen.items()
    )
    return Field(tuple(files), anomalous, members)


def _scores(dataset: DatasetRow, one: Candidate) -> dict[str, float]:
    if isinstance(one, BaselineRun):
        return dict(one.outcome.scores)
    test = resources.test_images(one, dataset)
    own = resources.scores(test, test.detector.tuning)[SUM].test
    return dict(zip(test.images.digests, own.tolist(), strict=True))


def _member(
    dataset: DatasetRow, name: str, one: Candidate, scores: NDArray[np.float64], anomalous: NDArray[np.bool_]
) -> Member:
    if isinstance(one, BaselineRun):
        outcome = one.outcome
        return Member(
            name,
            scores,
            fit_seconds=outcome.fit_seconds,
            milliseconds=outcome.milliseconds,
            megabytes=outcome.n_bytes / _MEGABYTE,
        )
    test, point = resources.test_images(one, dataset), resources.summary(one).working_point
    key = (detector_state(one), test.detector.tuning)
    runs = runs_on(resources.store().explanations, dataset.id)
    explained = next((run.category.summary for run in runs if (run.key.detector, run.key.tuning) == key), None)
    return Member(
        name,
        scores,
        adopted=exceedance(scores[~anomalous], point.threshold) if point and point.level == SUM else None,
        explanation=explained,
        located=resources.localisation(test, test.detector.tuning),
        fit_seconds=_fit_seconds(one),
        milliseconds=_milliseconds(test, dataset),
        megabytes=one.path.stat().st_size / _MEGABYTE,
    )


def _fit_seconds(row: DetectorRow) -> float | None:
    """How long its job took, where the log still has it; features that were known already took no time."""
    for job in resources.store().jobs.recent(500):
        if job.result_id == row.id and job.kind == "fit" and job.started and job.finished:
            return (job.finished - job.started).total_seconds()
    return None


@st.cache_data(show_spinner="Taking the time …", max_entries=32, hash_funcs=resources.BY_STATE)
def _milliseconds(test: resources.TestImages, dataset: DatasetRow) -> float | None:
    detector, images = test.detector, resources.dataset(dataset).train
    engine = resources.engine(detector.backbone)
    some = images.where(np.arange(len(images)) < _TIMED)
    if not len(some):
        return None
    pixels = load_pixels(some, engine.network.backbone, cache=resources.feature_cache())
    return milliseconds(detector, engine, pixels, {"own": detector.tuning})["own"]


def names(members: Sequence[Member]) -> list[str]:
    """Their names, in order."""
    return [member.name for member in members]
