"""One inspected part: its picture, what is unlike good parts, the verdict, the nearest good parts, a person's word."""

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from gad_core import figures, wording
from gad_core.data.datasets import ImageFile
from gad_core.decision.point_settings import DEFAULT_TARGET_FPR
from gad_core.errors import GadError
from gad_core.gaussian.nearest import distances_to_normals
from gad_core.gaussian.tuning import Tuning
from gad_core.workspace.rows import DetectorRow, InspectionRow
from pages.shared import charts, frame, opened, person, pictures, resources, views
from pages.shared.gallery import small
from pages.shared.resources import TestImages
from pages.shared.text import plain
from pages.views.inspect import parts

_NEAREST = 4
_WIDTH = 96  # of a good part beside it, in pixels
_TITLES = {
    "good": ":material/check_circle: Good",
    "review": ":material/help: For review",
    "anomalous": ":material/flag: Anomalous",
}


def show(detector: DetectorRow, row: InspectionRow, *, following: int | None) -> None:
    """The open part; `following` is the one to open after a verdict."""
    with charts.panel(_TITLES[row.outcome], _finding(row), loud=True), frame.guarded():
        file = ImageFile(row.path, row.digest)
        test = resources.inspected(detector, file)
        _pictures(test, file, row)
        _verdict(detector, row, following)
        _nearest(test)


def _finding(row: InspectionRow) -> str:
    """What the detector said, with its numbers."""
    score = f"{row.name}: distance {wording.number(row.score)}"
    p_value = f"p-value {wording.number(row.p_value)}"
    if row.outcome == "good":
        return f"{score}, below the threshold {wording.number(row.threshold)}; {p_value}."
    if row.outcome == "review" and row.reject_above is not None:
        band = f"{wording.number(row.threshold)} and {wording.number(row.reject_above)}"
        return f"{score}, between {band}: a person decides; {p_value}."
    limit = row.threshold if row.reject_above is None else row.reject_above
    return f"{score}, above the threshold {wording.number(limit)}; {p_value}."


def _pictures(test: TestImages, file: ImageFile, row: InspectionRow) -> None:
    """The image, and beside it the same under its map of regions, where the detector has any."""
    pixels = resources.pixels(test.detector.backbone, file)
    shown = {"As it came": pixels}
    tuning = test.detector.tuning
    if tuning.pool is not None:
        point = test.detector.working_point
        limit = resources.region_limit(test, tuning, point.target_fpr if point else DEFAULT_TARGET_FPR)
        values = resources.region_maps(test, tuning)[file.digest]
        shown["What is unlike good parts"] = figures.region_overlay(pixels, values, limit=limit)
    for box, (title, picture) in zip(st.columns(2, gap="small"), shown.items(), strict=False):
        box.image(pictures.url(picture), width="stretch", alt=f"{row.name}: {title.lower()}")
        box.caption(title)


def _verdict(detector: DetectorRow, row: InspectionRow, following: int | None) -> None:
    """Good or defective, said by a person; and the way to the attributions."""
    words = {
        None: "Nobody has judged it yet.",
        False: "A person called it good.",
        True: "A person called it defective.",
    }
    st.caption(words[row.defective])
    with st.container(horizontal=True, vertical_alignment="center", key="judge"):
        for label, icon, defective, key in (("Good", "thumb_up", False, "G"), ("Defective", "thumb_down", True, "D")):
            st.button(
                label,
                key=f"judge_{label.lower()}",
                icon=f":material/{icon}:",
                type="primary" if row.defective is defective else "secondary",
                shortcut=key,
                on_click=_say,
                args=(detector, row, defective, following),
                **person.changing(tip="The next part that nobody has judged opens."),
            )
        st.button(
            "Take back",
            key="judge_back",
            icon=":material/undo:",
            type="tertiary",
            on_click=_say,
            args=(detector, row, None, row.id),
            **person.changing(disabled=row.defective is None),
        )
        with st.popover(plain(person.name()) or "Your name", icon=":material/person:", key="judge_name"):
            person.ask()
        st.button(
            "Explain", key="inspect_explain", icon=":material/center_focus_strong:", on_click=_explain, args=(row,)
        )


def _say(detector: DetectorRow, row: InspectionRow, defective: bool | None, then: int | None) -> None:
    """Put a word on record and go on; for callbacks."""
    try:
        resources.store().inspections.say([row.id], defective, who=person.name())
    except GadError as error:
        frame.toast(error)
    else:
        parts.go_to(detector.id, row.id if then is None else then)


def _explain(row: InspectionRow) -> None:
    views.explain(row.digest)
    parts.explain()


def _nearest(test: TestImages) -> None:
    """The good parts of the fit that are most like it, by the detector's own measure."""
    dataset = opened.dataset()
    if dataset is None:
        return
    files = {file.digest: file for file in resources.dataset(dataset).train}
    distances = _to_normals(test, test.detector.tuning)
    digests = test.detector.training.digests
    order = [int(i) for i in np.argsort(distances) if digests[i] in files][:_NEAREST]
    if not order:
        return
    st.caption(f"The {len(order)} good parts most like it, with their distance from it:")
    with st.container(horizontal=True, gap="small", key="inspected_nearest"):
        for i in order:
            file = files[digests[i]]
            with st.container(width=_WIDTH, gap="xxsmall"):
                st.image(pictures.url(small(file)), width=_WIDTH, alt=f"a good part: {file.path.name}")
                st.caption(wording.number(float(distances[i])))


@st.cache_data(show_spinner=False, max_entries=64, hash_funcs=resources.BY_STATE)
def _to_normals(test: TestImages, tuning: Tuning) -> NDArray[np.float64]:
    return np.asarray(distances_to_normals(test.detector, test.features, tuning)[0])
