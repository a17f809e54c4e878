"""All masked defects of a data set explained: the mean, the worst, and the plane of AUROC and explanation."""

import numpy as np
import pandas as pd
import streamlit as st

from gad_core import figures, wording
from gad_core.attribution.category import Explained, masked_defects
from gad_core.attribution.explanation import Explanation, Summary, distance_to_ideal, summaries_by_type
from gad_core.data.datasets import ImageFile
from gad_core.errors import GadError
from gad_core.gaussian.tuning import Tuning
from gad_core.workspace.explanations import ExplanationKey, Run, find_run, runs_on
from gad_core.workspace.requests import Explain
from gad_core.workspace.rows import DatasetRow, DetectorRow
from pages.shared import charts, downloads, frame, person, resources, tasks, views
from pages.shared.gallery import gallery
from pages.views.attributions import category_measures

_SHOWN = 8
_PLACE = "explain_all"
_TITLE = "Explanation scores of all defects"


def whole_category(
    detector: DetectorRow,
    dataset: DatasetRow,
    test: resources.TestImages,
    shown: ImageFile,
    tuning: Tuning,
    n_references: int,
) -> None:
    """A button, and what the run gave, at the tuning that is explained above; the image shown there is marked."""
    try:
        files = masked_defects(test.images)
    except GadError as error:
        with charts.panel(_TITLE, frame.sentence(error)):
            return
    run = find_run(resources.store().explanations, key_of(test, tuning, n_references))
    about = f"All {len(files)} masked defects at {wording.tuning(tuning)}."
    with charts.panel(_TITLE, about if run is None else _finding(run)):
        if run is None or run.category.summary is None:
            under_way = any(job.kind == "explain" for job in tasks.own())
            off = person.changing(disabled=under_way)
            if st.button("Explain them all", key="explain_all", icon=":material/play_arrow:", **off):
                asked = Explain(dataset.id, detector.id, tuning, n_references)
                tasks.ask(f"Explain {dataset.name}", asked, place=_PLACE)
                st.rerun()
            tasks.cards(_PLACE)
            tasks.show_failure(_PLACE)
        else:
            _results(run, test, shown)
        _plane(dataset)
    if run is not None:
        category_measures.measures(dataset, run.category.masked)


def _finding(run: Run) -> str:
    """The run in a sentence."""
    summary = run.category.summary
    if summary is None:
        return "No explanation score is defined: the masks are empty or cover everything."
    area = "" if run.auroc is None else f"; AUROC {100 * run.auroc:.1f} %"
    return f"At {wording.tuning(run.key.tuning)}: {_words(summary)}{area}."


def _words(summary: Summary) -> str:
    """A mean with its standard error, and what chance gives."""
    return (
        f"mean explanation score {summary.mean:.1f} ± {summary.sem:.1f} (n = {summary.n}); a uniform map gets "
        f"{summary.uniform_mean:.1f}, shifted masks {summary.null_mean:.1f} [{summary.null_low:.1f}, "
        f"{summary.null_high:.1f}]; {wording.share(summary.share)} of the attribution lie in the masks"
    )


def _results(run: Run, test: resources.TestImages, open_file: ImageFile) -> None:
    """The scores by type of defect, and the images that are explained worst or best."""
    images = run.category.masked
    explanations = [image.explanation for image in images if image.explanation]
    by_type = summaries_by_type(explanations, [image.defect for image in images])
    table = [
        {
            "defect": defect.replace("_", " "),
            "images": summary.n,
            "explanation score": f"{summary.mean:.1f} ± {summary.sem:.1f}",
            "uniform map": f"{summary.uniform_mean:.1f}",
            "shifted masks": f"{summary.null_mean:.1f}",
            "in the mask": wording.share(summary.share),
        }
        for defect, summary in by_type.items()
    ]
    st.dataframe(pd.DataFrame(table), hide_index=True, key="explained_types", alt=_finding(run))
    downloads.row("explanation scores", key="explained", csv=lambda: _csv(run, test))
    files = {file.digest: file for file in test.images}
    scored = [(image, score) for image in images if image.digest in files and (score := _score(image)) is not None]
    scored.sort(key=lambda pair: pair[1])
    end = st.segmented_control(
        "Images",
        ["Worst explained", "Best explained"],
        default="Worst explained",
        required=True,
        key="explained_end",
        label_visibility="collapsed",
    )
    shown = scored[:_SHOWN] if end == "Worst explained" else scored[::-1][:_SHOWN]
    gallery(
        [files[image.digest] for image, _ in shown],
        key=f"explained_{end}",
        caption=lambda place: f"{shown[place][0].defect.replace('_', ' ')} · {shown[place][1]:.1f}",
        on_press=lambda file: views.explain(file.digest),
        selected=open_file.digest,
    )


def _csv(run: Run, test: resources.TestImages) -> bytes:
    """An image a line: its explanation score, its measures, and where its map lies."""
    names = {file.digest: file.path.name for file in test.images}
    rows = []
    for image in run.category.masked:
        one = image.explanation
        rows.append(
            {
                "file": names.get(image.digest, image.digest),
                "type": image.defect,
                "distance": image.score,
                "gap": image.gap,
                "explanation_score": one.score if isinstance(one, Explanation) else None,
                "null_mean": one.null_mean if isinstance(one, Explanation) else None,
                "uniform_level": one.uniform_level if isinstance(one, Explanation) else None,
                **image.measures.to_json(),
                "border": image.border,
                "corners": image.corners,
            }
        )
    return downloads.csv(rows)


def _score(image: Explained) -> float | None:
    return image.explanation.score if isinstance(image.explanation, Explanation) else None


def _plane(dataset: DatasetRow) -> None:
    """Every run on this data set: how well it detects against how well it is explained (Table X)."""
    points: list[dict[str, float | str]] = []
    distances: list[float] = []
    for run in runs_on(resources.store().explanations, dataset.id):
        if (summary := run.category.summary) and run.auroc is not None:
            distances.append(distance_to_ideal(100 * run.auroc, summary.mean))
            points.append(
                {
                    "name": f"{wording.tuning(run.key.tuning)}",
                    "auroc": 100 * run.auroc,
                    "score": summary.mean,
                    "sem": float(np.nan_to_num(summary.sem)),
                    "distance": distances[-1],
                }
            )
    if len(points) > 1:
        best = int(np.argmin(distances))
        st.caption(
            f"Of {len(points)} runs, {points[best]['name']} is nearest to the ideal corner: {distances[best]:.1f}."
        )
        charts.show(figures.explanation_plane(points), key="plane", alt="AUROC against explanation score of every run")


def key_of(test: resources.TestImages, tuning: Tuning, n_references: int) -> ExplanationKey:
    """What a run is kept under."""
    return ExplanationKey(test.state.dataset, test.state.detector, tuning, n_references)
