"""Clever Hans: a detector that tells bad parts by an inspector's stamp, found out by its attributions."""

from dataclasses import dataclass

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from gad_core import figures, wording
from gad_core.attribution.attribution_map import Attribution
from gad_core.attribution.category import mask_of
from gad_core.attribution.counterfactuals import Counterfactuals, counterfactuals, scorer
from gad_core.attribution.explanation import Explanation, explain_score, mask_weights
from gad_core.data.datasets import ImageFile
from gad_core.data.demo import Photo
from gad_core.data.demo.twins import redraw, stamp_mask
from gad_core.data.demo.writing import STAMPED
from gad_core.data.images import resize
from gad_core.decision.curves import auroc
from gad_core.features.registry import get_backbone
from gad_core.gaussian.tuning import Tuning
from gad_core.workspace.requests import Demo
from gad_core.workspace.rows import DatasetRow, DetectorRow
from pages.shared import charts, explaining, opened, person, resources, tasks
from pages.views.attributions import maps

Pixels = NDArray[np.uint8]

_DRAWING = maps.Drawing(blur=2.0, opacity=0.9)
_PLACE = "stamped"


@dataclass(frozen=True)
class _Pair:
    """A stamped part and the same part without its stamp, each with its map, and what the stamp does to the score."""

    stamped: Pixels
    plain: Pixels
    stamped_map: Attribution
    plain_map: Attribution
    defect: NDArray[np.float64]  # weights in [0, 1], as the network's input is large
    stamp: NDArray[np.float64]
    exchanged: Counterfactuals


def tour(
    detector: DetectorRow, dataset: DatasetRow, test: resources.TestImages, tuning: Tuning, n_references: int
) -> None:
    """On the stamped washer the story in three steps; elsewhere the way to it."""
    if (dataset.kind, dataset.name) != ("demo", STAMPED):
        with charts.panel(
            "Clever Hans", "A detector may be right for the wrong reason. A demo part shows how that is found out."
        ):
            if st.button(
                "Open the stamped washer", key="open_stamped", icon=":material/approval:", **person.changing()
            ):
                asked = Demo(STAMPED, detector.backbone)
                tasks.ask("Demo stamped washer", asked, then="pages/attributions.py", place=_PLACE)
                st.rerun()
            tasks.cards(_PLACE)
            tasks.show_failure(_PLACE)
        return
    file = _stamped_file(test)
    drawn = _drawn(dataset, file) if file else None
    if file is None or drawn is None:
        return
    with charts.panel("Clever Hans", "Right for the wrong reason: every defective washer here also bears a stamp."):
        with st.spinner("Explaining the part with its stamp and without …"):
            pair = _pair(test, dataset, file, drawn, tuning, n_references)
        _numbers(test, tuning, pair)
        _pictures(pair, file)
        st.markdown(
            f"Taking the stamp away lowers the distance from **{wording.number(pair.exchanged.score)}** to "
            f"**{wording.number(pair.exchanged.score_without_defect)}**; the same part photographed without it has "
            f"**{wording.number(pair.exchanged.normal_score)}**: the stamp, not the "
            f"{file.defect.replace('_', ' ')}, is what was detected."
        )


def twin_pixels(test: resources.TestImages, dataset: DatasetRow, file: ImageFile) -> Pixels | None:
    """The undamaged twin of a demo part at the size of the network's input; None elsewhere."""
    drawn = _drawn(dataset, file)
    return _sized(test, drawn.twin) if drawn is not None and drawn.twin is not None else None


def _pair(
    test: resources.TestImages,
    dataset: DatasetRow,
    file: ImageFile,
    drawn: Photo,
    tuning: Tuning,
    n_references: int,
) -> _Pair:
    stamped, plain = resources.pixels(test.detector.backbone, file), _sized(test, drawn.pixels)
    defect, stamp = (
        mask_weights(mask, stamped.shape[:2])
        for mask in (mask_of(file), stamp_mask(dataset.root, file.path, file.defect))
    )
    score = scorer(test.detector, resources.engine(test.detector.backbone), tuning)
    return _Pair(
        stamped,
        plain,
        explaining.attribution(test, file, tuning, n_references),
        explaining.attribution_of(test, plain, tuning, n_references),
        defect,
        stamp,
        counterfactuals(stamped, stamp, score, twin=plain),
    )


def _numbers(test: resources.TestImages, tuning: Tuning, pair: _Pair) -> None:
    area = auroc(resources.scores(test, tuning)["sum"].test, test.images.labels)
    on_stamp = explain_score(pair.stamped_map.total, pair.stamp > 0.5)
    with st.grid(4, min_column_width=150):
        st.metric("AUROC", f"{100 * area.value:.1f} %", "with the stamps", **charts.QUIET, help="It seems excellent.")
        for attribution, words in (
            (pair.stamped_map, "with its stamp"),
            (pair.plain_map, "the same part without"),
        ):
            on_defect = explain_score(attribution.total, pair.defect > 0.5)
            if isinstance(on_defect, Explanation):
                st.metric(
                    "Explanation score", f"{on_defect.score:.1f}", words, **charts.QUIET, help="Against the defect."
                )
        if isinstance(on_stamp, Explanation):
            st.metric(
                "On the stamp",
                wording.share(on_stamp.share),
                "of the attribution",
                **charts.QUIET,
                help="The stamp is no defect, yet it is what the distance comes from.",
            )


def _pictures(pair: _Pair, file: ImageFile) -> None:
    smooth = [_DRAWING.smooth(attribution.total) for attribution in (pair.stamped_map, pair.plain_map)]
    limit = float(max(np.quantile(np.abs(values), 0.999) for values in smooth))
    with st.grid(2, min_column_width=280):
        for pixels, values, words, key in (
            (
                pair.stamped,
                smooth[0],
                f"With its stamp: distance {wording.number(pair.exchanged.score)}",
                "hans_stamped",
            ),
            (pair.plain, smooth[1], f"Without: distance {wording.number(pair.exchanged.normal_score)}", "hans_plain"),
        ):
            with st.container():
                st.caption(f"{words}. The {file.defect.replace('_', ' ')} is outlined.")
                figure = figures.attribution_map(
                    values, limit=limit, image=pixels, mask=pair.defect > 0.5, opacity=_DRAWING.opacity, height=300
                )
                charts.show(figure, key=key, alt=words)


def _stamped_file(test: resources.TestImages) -> ImageFile | None:
    """The defect that is open, else a scratch, the finest of them."""
    defects = [file for file in test.images if file.anomalous and file.mask]
    linked = opened.image()
    named = (file for file in defects if linked and file.digest.startswith(linked))
    return next(named, min(defects, key=lambda file: file.defect != "scratch", default=None))


def _drawn(dataset: DatasetRow, file: ImageFile) -> Photo | None:
    """The photo of a demo part, drawn again; None for other images."""
    return _redraw(dataset.name, file) if dataset.kind == "demo" else None


@st.cache_resource(show_spinner=False, max_entries=32, hash_funcs=resources.BY_STATE)
def _redraw(name: str, file: ImageFile) -> Photo | None:
    return redraw(name, file.path, file.defect)


def _sized(test: resources.TestImages, pixels: Pixels) -> Pixels:
    return resize(pixels, get_backbone(test.detector.backbone).input_size)
