"""The three stories of Clever Hans: what gives the defective parts away, and the tool that finds it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import streamlit as st

from gad_core import wording
from gad_core.attribution.explanation import Explanation, explain_score
from gad_core.data.demo.cheats import LENS, RULER, STAMP
from gad_core.gaussian.tuning import Tuning
from gad_core.workspace.rows import DatasetRow
from pages.shared import resources, views
from pages.views.attributions import hans_evidence
from pages.views.attributions.hans_evidence import Pair

Find = Callable[[resources.TestImages, DatasetRow, Tuning, Pair], str]


@dataclass(frozen=True)
class Story:
    """One cheat in words; what was found is a sentence with the numbers of the open detector."""

    name: str
    about: str
    sign: str
    tool: str
    found: Find
    place: str = ""  # where the sign is
    look: str | None = None  # the view that has the tool


def look_button(story: Story) -> None:
    """The way to the view with the tool."""
    st.button(
        f"Look at {story.look}",
        key="hans_look",
        icon=":material/visibility:",
        on_click=views.turn_to,
        args=(story.look,),
    )


def _on_stamp(_: resources.TestImages, __: DatasetRow, ___: Tuning, pair: Pair) -> str:
    assert pair.place is not None  # noqa: S101 - a stamp has a mask
    share, area = pair.cheating.share(pair.place), float(pair.place.mean())
    return (
        f"{wording.share(share)} of what raises the distance lie on the stamp, which takes {wording.percent(area)} of "
        "the image."
    )


def _by_lens(test: resources.TestImages, dataset: DatasetRow, tuning: Tuning, pair: Pair) -> str:
    curve = hans_evidence.lens_curve(test, dataset.name, tuning)
    sharp, defective = wording.number(float(curve.good[0])), wording.number(curve.defective)
    on_defect = explain_score(pair.cheating.attribution.total, pair.defect)
    told = ""
    if isinstance(on_defect, Explanation):
        told = (
            f"Against the defect, the map of this part scores {on_defect.score:.1f}, by chance "
            f"[{on_defect.null_low:.1f}, {on_defect.null_high:.1f}]. "
        )
    if curve.alike is None:
        most = wording.number(hans_evidence.SOFTNESSES[-1])
        return (
            f"{told}Good parts stay below the defective ones' median of {defective}, up to {most} px of a softer lens."
        )
    return (
        f"{told}Good parts, at a median distance of {sharp}, get as far as the defective ones ({defective}) at "
        f"{wording.number(curve.alike)} px of a softer lens, without any defect."
    )


def _on_border(test: resources.TestImages, dataset: DatasetRow, _: Tuning, pair: Pair) -> str:
    assert pair.place is not None  # noqa: S101 - the border
    share, twin = (wording.share(side.share(pair.place)) for side in (pair.cheating, pair.honest))
    lots = hans_evidence.lots(test, dataset)
    return (
        f"{share} of what raises the distance lie on the border of the image ({twin} without the ruler), and "
        f"{lots.defective} of {lots.of_defective} defective parts came in lot {lots.name}, as did {lots.good} of "
        f"{lots.of_good} good ones."
    )


STORIES: Mapping[str, Story] = {
    STAMP.name: Story(
        "the stamped washer",
        "Every defective washer also bears an inspector's stamp; so do a few good ones.",
        "the stamp",
        "the attribution map",
        _on_stamp,
        place="On the stamp",
    ),
    LENS.name: Story(
        "the soft board",
        "Defects hardly to be seen, but every defective board was photographed with a slightly softer lens.",
        "the soft lens",
        "a softer lens before good parts",
        _by_lens,
        look=views.CAMERA,
    ),
    RULER.name: Story(
        "the ruled weave",
        "All defective pieces came in one lot, which was photographed with a ruler at the edge.",
        "the ruler",
        "the share on the border and the lots",
        _on_border,
        place="On the border",
        look=views.STRATEGIES,
    ),
}
