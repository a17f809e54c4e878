"""Attributions: which pixels the distance comes from."""

import numpy as np
import streamlit as st

from gad_core import wording
from gad_core.attribution.deep_shap import Attribution
from gad_core.attribution.explanation import Explanation, Undefined
from gad_core.data.datasets import ImageFile
from gad_core.errors import GadError
from gad_core.features.backbones import get_backbone
from gad_core.gaussian.tuning import Tuning
from gad_core.workspace.rows import DatasetRow, DetectorRow
from pages.shared import (
    attribution_view,
    category_view,
    clever_hans,
    frame,
    opened,
    probe_view,
    resources,
    tasks,
    tuning,
)
from pages.shared.charts import QUIET
from pages.shared.controls import BOUND
from pages.shared.gallery import gallery

frame.begin()


def main() -> None:
    frame.heading("Attributions", "Decide whether the detector looks at the defect, or at something beside it.")
    tasks.cards()
    tasks.show_failure()
    detector, dataset = opened.detector(), opened.dataset()
    if detector is None or dataset is None:
        frame.empty("Fit a detector first: then every pixel's share is shown.", "Fit a detector", "pages/fit.py")
        return
    if not len(resources.test_images(detector, dataset).test):
        frame.empty("There are no test images to explain yet.", "Bring some", "pages/data.py")
        return
    workbench(detector, dataset)
    category_view.whole_category(detector, dataset)
    clever_hans.tour(detector, dataset)


@st.fragment
def workbench(detector: DetectorRow, dataset: DatasetRow) -> None:
    """An image, its map, and the checks on it."""
    with st.container(border=True):
        chosen, n_references, look = controls(detector)
    test = resources.test_images(detector, dataset)
    scores = resources.scores(detector, dataset, chosen)["sum"].test
    file = shown(list(test.images), scores)
    pick(list(test.images), scores)
    try:
        with st.spinner(f"Explaining {file.path.name} …"):
            found = resources.attribution(detector, file, chosen, n_references)
    except GadError as error:
        frame.trouble(error)
        return
    met = attribution_view.met(found, file)
    numbers(found, met, file)
    attribution_view.pictures(detector, file, found, look)
    attribution_view.levels(found, look)
    attribution_view.downloads(detector, file, found, look)
    probe_view.probes(detector, dataset, file, found, chosen)


def controls(detector: DetectorRow) -> tuple[Tuning, int, attribution_view.Look]:
    """Tuning, number of references, and how the map is drawn."""
    tuning_box, reference_box, blur_box, opacity_box = st.columns([3, 2, 2, 2], vertical_alignment="bottom")
    with tuning_box.popover("Levels & components", icon=":material/tune:", width="stretch", key="tuning"):
        chosen = tuning.tuning(get_backbone(detector.backbone))
    n_references = reference_box.select_slider(
        "References",
        [1, 3, 5, 10, 20, 32],
        value=10,
        help="Good parts that the image is compared with; the map is the mean over them.",
        key="references",
        **BOUND,
    )
    blur = blur_box.slider("Blur", 0.0, 8.0, 2.0, 0.5, help="Pixels; for the eye alone.", key="blur", **BOUND)
    opacity = opacity_box.slider(
        "Opacity", 0.2, 1.0, 0.8, 0.1, help="Of the map over the image.", key="opacity", **BOUND
    )
    st.caption(f":material/tune: {tuning.words(chosen)}")
    return chosen, int(n_references), attribution_view.Look(float(blur), float(opacity))


def shown(files: list[ImageFile], scores: np.ndarray) -> ImageFile:
    """The image that is looked at; by default the defect with the highest score."""
    linked = opened.image()
    if linked and (file := next((file for file in files if file.digest.startswith(linked)), None)):
        return file
    order = np.lexsort((-scores, [not file.anomalous for file in files]))
    return files[int(order[0])]


def pick(files: list[ImageFile], scores: np.ndarray) -> None:
    """The test images by falling score, to choose from."""
    with st.expander("Choose an image", icon=":material/photo_library:", key="choose"):
        kinds: dict[str, list[int]] = {"all": []}
        for i in np.argsort(-scores).tolist():
            kinds["all"].append(i)
            kinds.setdefault(files[i].defect.replace("_", " "), []).append(i)
        kind = st.segmented_control(
            "Kind",
            list(kinds),
            default="all",
            required=True,
            format_func=lambda name: f"{name} · {len(kinds[name])}",
            key="explained_kind",
            label_visibility="collapsed",
        )
        order = kinds.get(str(kind)) or kinds["all"]
        gallery(
            [files[i] for i in order],
            key=f"explained_{kind}",
            caption=lambda place: f"{files[order[place]].defect.replace('_', ' ')} · {scores[order[place]]:.3g}",
            per_page=16,
            on_press=lambda file: opened.open_image(file.digest),
        )


def numbers(found: Attribution, met: Explanation | Undefined | None, file: ImageFile) -> None:
    """The numbers that matter for this image."""
    with st.grid(4, min_column_width=150):
        st.metric(
            "Distance",
            wording.number(found.score),
            f"references {wording.number(found.reference_score)}",
            **QUIET,
            help=f"{file.defect.replace('_', ' ')}, {file.path.name}. The map adds up to the difference of the two.",
        )
        if isinstance(met, Explanation):
            st.metric(
                "Explanation score",
                f"{met.score:.1f}",
                f"uniform map {met.uniform_level:.1f}",
                **QUIET,
                help="Cosine of the region-averaged map with the mask, from -100 to 100 (Sec. V-E). A uniform map gets "
                "100 times the root of the mask's share of the image.",
            )
            st.metric(
                "By chance",
                f"{met.null_mean:.1f}",
                f"[{met.null_low:.1f}, {met.null_high:.1f}]",
                **QUIET,
                help="The same map under the same mask at every other place: mean and central 95 %.",
            )
            st.metric(
                "In the mask",
                wording.share(met.share),
                f"raw score {met.raw_score:.1f}",
                **QUIET,
                help="What the mask holds of the map's sum. Raw score: cosine of the rectified map with the mask.",
            )
        elif isinstance(met, Undefined):
            st.metric("Explanation score", "not defined", "see below", **QUIET, help=met.reason)
    if met is None:
        st.caption(":material/info: This image has no mask, so there is no explanation score; masks are added on Data.")


main()
