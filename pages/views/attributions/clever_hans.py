"""Clever Hans: a detector that tells bad parts by an inspector's stamp, found out by its attributions."""

from functools import partial

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from gad_core import figures, wording
from gad_core.attribution.category import mask_of
from gad_core.attribution.counterfactuals import counterfactuals, scorer
from gad_core.attribution.explanation import Explanation, explain_score, mask_weights
from gad_core.data.datasets import ImageFile
from gad_core.data.demo import Photo, photo
from gad_core.data.demo.photos import PARTS
from gad_core.data.demo.writing import STAMPED
from gad_core.data.images import decode_mask, resize
from gad_core.decision.curves import auroc
from gad_core.features.registry import get_backbone
from gad_core.gaussian.tuning import Tuning
from gad_core.workspace.rows import DatasetRow, DetectorRow
from gad_core.workspace.steps import try_demo
from pages.shared import charts, opened, resources, tasks
from pages.views.attributions import category, maps

_LOOK = maps.Look(blur=2.0, opacity=0.9)


def tour(detector: DetectorRow, dataset: DatasetRow) -> None:
    """On the stamped washer the story in three steps; elsewhere the way to it."""
    if (dataset.kind, dataset.name) != ("demo", STAMPED):
        with charts.panel(
            "Clever Hans", "A detector may be right for the wrong reason. A demo part shows how that is found out."
        ):
            if st.button("Open the stamped washer", key="open_stamped", icon=":material/approval:"):
                work = partial(
                    try_demo, resources.store(), STAMPED, backbone=detector.backbone, cache=resources.feature_cache()
                )
                tasks.submit("fit", "Demo stamped washer", work, then="pages/attributions.py")
                st.rerun()
        return
    chosen, n_references = category.current(detector)
    file = _stamped_file(detector, dataset)
    if file is None:
        return
    with charts.panel("Clever Hans", "Right for the wrong reason: every defective washer here also bears a stamp."):
        _story(detector, dataset, file, chosen, n_references)


def twin_pixels(detector: DetectorRow, dataset: DatasetRow, file: ImageFile) -> NDArray[np.uint8] | None:
    """The undamaged twin of a demo part, as the network sees it; None elsewhere."""
    drawn = _drawn(dataset, file)
    return _sized(detector, drawn.twin) if drawn is not None and drawn.twin is not None else None


def _story(detector: DetectorRow, dataset: DatasetRow, file: ImageFile, chosen: Tuning, n_references: int) -> None:
    drawn = _drawn(dataset, file)
    assert drawn is not None  # noqa: S101 - the file is of the demo
    honest = _sized(detector, drawn.pixels)
    image = resources.pixels(detector, file)
    with st.spinner("Explaining the part with its stamp and without …"):
        stamped = resources.attribution(detector, file, chosen, n_references).total
        plain = resources.attribution_of(detector, honest, f"honest {file.digest}", chosen, n_references).total
    defect, stamp = (mask_weights(mask, stamped.shape) for mask in (mask_of(file), _stamp_mask(dataset, file)))
    fitted = resources.detector(detector)
    engine = resources.engine(detector.backbone)
    made = counterfactuals(image, stamp, scorer(fitted, engine, chosen), twin=honest)
    test = resources.test_images(detector, dataset)
    area = auroc(resources.scores(detector, dataset, chosen)["sum"].test, test.images.labels)
    share = explain_score(stamped, stamp > 0.5)
    scores = [explain_score(values, defect > 0.5) for values in (stamped, plain)]
    with st.grid(4, min_column_width=150):
        st.metric("AUROC", f"{100 * area.value:.1f} %", "with the stamps", **charts.QUIET, help="It looks excellent.")
        for score, words in zip(scores, ("with its stamp", "the same part without"), strict=True):
            if isinstance(score, Explanation):
                st.metric("Explanation score", f"{score.score:.1f}", words, **charts.QUIET, help="Against the defect.")
        if isinstance(share, Explanation):
            st.metric(
                "On the stamp",
                wording.share(share.share),
                "of the attribution",
                **charts.QUIET,
                help="The stamp is no defect, yet it is what the distance comes from.",
            )
    maps = [_LOOK.smooth(values) for values in (stamped, plain)]
    limit = float(max(np.quantile(np.abs(values), 0.999) for values in maps))
    with st.grid(2, min_column_width=280):
        for pixels, values, words, key in (
            (image, maps[0], f"With its stamp: distance {wording.number(made.score)}", "hans_stamped"),
            (honest, maps[1], f"Without: distance {wording.number(made.normal_score)}", "hans_plain"),
        ):
            with st.container():
                st.caption(f"{words}. The {file.defect} is outlined.")
                figure = figures.attribution_map(
                    values, limit=limit, image=pixels, mask=defect > 0.5, opacity=_LOOK.opacity, height=300
                )
                charts.show(figure, key=key, alt=words)
    st.markdown(
        f"Taking the stamp away lowers the distance from **{wording.number(made.score)}** to "
        f"**{wording.number(made.score_without_defect)}**, the honest part's own "
        f"**{wording.number(made.normal_score)}**: the stamp, not the "
        f"{file.defect.replace('_', ' ')}, is what was detected."
    )


def _stamped_file(detector: DetectorRow, dataset: DatasetRow) -> ImageFile | None:
    """The defect that is looked at, else a scratch, the finest of them."""
    defects = [file for file in resources.test_images(detector, dataset).test if file.anomalous and file.mask]
    linked = opened.image()
    looked_at = (file for file in defects if linked and file.digest.startswith(linked))
    return next(looked_at, min(defects, key=lambda file: file.defect != "scratch", default=None))


def _stamp_mask(dataset: DatasetRow, file: ImageFile) -> NDArray[np.bool_]:
    return decode_mask(dataset.root / "ground_truth_stamp" / file.defect / f"{file.path.stem}_mask.png")


def _drawn(dataset: DatasetRow, file: ImageFile) -> Photo | None:
    """The photo of a demo part, drawn again from its place."""
    part = "washer" if dataset.name == STAMPED else dataset.name
    if dataset.kind != "demo" or part not in PARTS or not file.path.stem.isdigit():
        return None
    return _photo(part, file.path.parent.parent.name, file.defect, int(file.path.stem))


@st.cache_resource(show_spinner=False, max_entries=32)
def _photo(part: str, split: str, kind: str, index: int) -> Photo:
    return photo(part, split, kind, index)


def _sized(detector: DetectorRow, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return resize(pixels, get_backbone(detector.backbone).input_size)
