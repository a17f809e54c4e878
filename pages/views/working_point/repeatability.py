"""Repeatability: parts imaged several times, and how much of the tolerance a new picture of the same part eats."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import streamlit as st

from gad_core import figures, wording
from gad_core.data.datasets import ImageFile
from gad_core.data.groups import parse_groups
from gad_core.data.images import IMAGE_SUFFIXES
from gad_core.data.parts import COLUMNS, Way
from gad_core.decision.repeatability import FAILS, PASSES, Repeatability
from gad_core.errors import GadError
from gad_core.workspace.rows import DetectorRow
from pages.shared import charts, frame, person, tasks
from pages.shared.refusals import refusals
from pages.shared.text import plain
from pages.views.working_point import repeated

_TITLE = "Repeatability"
_ABOUT = (
    "Take a few parts and image each of them several times, as it comes to the camera: the distances say how far the "
    "measurement repeats, and whether the verdict does."
)
_UPLOAD, _FOLDER = "Upload", "Folder on this machine"
_WAYS: dict[str, Way | None] = {"as found": None, "by names": "names", "by folders": "folders"}
_TABLE = "by a CSV file"
_SHOWN = 3  # names of a part's pictures in the preview


@frame.fragment
def repeatability(detector: DetectorRow) -> None:
    """The pictures, what was understood of them, and what repetition does to the distance."""
    pictures = repeated.read(detector)
    try:
        study = repeated.study(detector, pictures.digests, pictures.parts, pictures.features)[1] if pictures else None
        trouble = None
    except GadError as error:
        study, trouble = None, error
    with charts.panel(_TITLE, _finding(study) if study else _ABOUT, loud=study is not None):
        if trouble:
            frame.trouble(trouble)
        if study:
            _shown(study)
        if pictures:
            refusals(pictures.refused, f"{len(pictures.refused)} pictures could not be read", key="refused_again")
        with st.expander("Pictures of parts imaged again", icon=":material/burst_mode:", key="again_pictures"):
            _bring(detector)
        tasks.cards(repeated.PLACE)
        tasks.show_failure(repeated.PLACE)


def _bring(detector: DetectorRow) -> None:
    """Where the pictures come from, which part each shows, and the button."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        source = st.segmented_control(
            "From", (_UPLOAD, _FOLDER), default=_UPLOAD, required=True, key="again_from", persist_state="session"
        )
        told = st.selectbox(
            "Parts are told",
            [*_WAYS, _TABLE],
            key="again_parts",
            help="By names: partA_1.png, partA_2.png. By folders: one for each part. As found: by folders where each "
            "holds pictures of one name, else by names. A CSV file has the columns path and part.",
            persist_state="session",
            width=180,
        )
    try:
        given = _given(str(source), _way(str(told)))
    except GadError as error:
        frame.trouble(error)
        return
    if given:
        _preview(given.images.files)
    if st.button(
        "Measure",
        key="again_go",
        icon=":material/play_arrow:",
        **person.changing(disabled=given is None or any(job.kind == "check" for job in tasks.own())),
    ):
        assert given is not None  # noqa: S101 - the button was pressed
        repeated.start(detector, given)
        st.rerun()  # the bar in the sidebar is drawn by the whole page


def _way(told: str) -> Way | None:
    if told != _TABLE:
        return _WAYS[told]
    table = st.file_uploader(
        "Table with the columns path and part", type=["csv", "txt"], key="again_table", **person.changing()
    )
    return parse_groups(table.getvalue(), name=table.name, columns=COLUMNS) if table else None


def _given(source: str, way: Way | None) -> repeated.Given | None:
    """What is there to measure; None where nothing is."""
    if source == _FOLDER:
        text = st.text_input(
            "Path of a folder of pictures", placeholder="/data/again", key="again_folder", persist_state="session"
        ).strip()
        return repeated.listed(Path(text), way) if text else None
    files = st.file_uploader(
        "Pictures of at least two parts, each taken twice or more",
        type=sorted(suffix.lstrip(".") for suffix in IMAGE_SUFFIXES),
        accept_multiple_files=True,
        key="again_files",
        **person.changing(),
    )
    return repeated.uploaded([(file.name, file.getvalue()) for file in files], way) if files else None


def _preview(files: Sequence[ImageFile]) -> None:
    """A row a part: what was understood."""
    parts: dict[str, list[str]] = {}
    for file in files:
        parts.setdefault(file.group or file.path.name, []).append(file.path.name)
    once = sum(len(names) == 1 for names in parts.values())
    note = f"; {once} of them with one picture, which tells nothing of repetition" if once else ""
    st.caption(f"Understood: {len(files)} pictures of {len(parts)} parts{note}.")
    table = pd.DataFrame(
        {
            "part": list(parts),
            "pictures": [len(names) for names in parts.values()],
            "files": [", ".join(names[:_SHOWN]) + (" …" if len(names) > _SHOWN else "") for names in parts.values()],
        }
    )
    st.dataframe(table, hide_index=True, height=min(36 * (len(parts) + 1), 220), key="again_preview", alt="Parts")


def _finding(study: Repeatability) -> str:
    """The verdict, what it comes from, and whether verdicts on parts agree."""
    number, agreed = wording.number, study.agreement
    sigma = f"{number(study.sigma)} [{number(study.sigma_low)}, {number(study.sigma_high)}]"
    share = f"{wording.percent(study.grr)} {wording.interval(*study.grr_interval)}"
    return (
        f"Repetition {study.word}: pictures of one part scatter by {sigma} (standard deviation), and three times that "
        f"is {share} of the way from the median of good parts ({number(study.centre)}) to the threshold "
        f"({number(study.threshold)}). {agreed.count} of {agreed.n} parts got one verdict every time, "
        f"{wording.rate(agreed)}.{_strange(study)}"
    )


def _strange(study: Repeatability) -> str:
    """What to think of where nearly everything is flagged."""
    n = sum(len(part.scores) for part in study.parts)
    flagged = (
        f" {sum(study.flagged)} of {n} pictures are flagged: if these parts are good, they were not imaged as those"
    )
    return f"{flagged} of the fit were." if study.mostly_flagged else ""


def _shown(study: Repeatability) -> None:
    """The strip chart and the table of parts."""
    charts.show(figures.repeated_distances(study), key="repeated", alt=_finding(study))
    table = pd.DataFrame(
        {
            "part": [part.name for part in study.parts],
            "pictures": [len(part.scores) for part in study.parts],
            "mean distance": [wording.number(part.mean) for part in study.parts],
            "standard deviation": [wording.number(part.sigma) for part in study.parts],
            "flagged": [f"{n} of {len(part.scores)}" for part, n in zip(study.parts, study.flagged, strict=True)],
        }
    )
    with st.expander("As a table", icon=":material/table:", key="again_table_shown"):
        st.dataframe(table, hide_index=True, key="again_parts_table", alt="Distances by part")
    once = f" Imaged once, and left out: {', '.join(study.once)}." if study.once else ""
    st.caption(
        plain(
            f"Below {wording.percent(PASSES)} of the tolerance repetition passes, above {wording.percent(FAILS)} it "
            f"fails (AIAG's measurement-system analysis; 3 and not 6 standard deviations, for there is one limit). "
            f"Between parts the distance scatters by {wording.number(study.sigma_parts)}: as distinct "
            f"categories (ndc) that is {study.categories}, where 5 are asked for.{once}"
        )
    )
