"""All masked defects of a data set explained: the mean, the worst, and the plane of AUROC and explanation."""

import numpy as np
import pandas as pd
import streamlit as st

from gad_core import figures, wording
from gad_core.attribution.category import explain_category, masked_defects
from gad_core.attribution.explanation import Explanation, Summary, distance_to_ideal, summaries_by_type
from gad_core.decision.curves import auroc
from gad_core.errors import GadError
from gad_core.gaussian.tuning import Tuning
from gad_core.progress import Progress
from gad_core.workspace.explanations import ExplanationKey, Run, find_run, keep_run, runs_on
from gad_core.workspace.rows import DatasetRow, DetectorRow
from pages.shared import charts, frame, opened, resources, settings, tasks
from pages.shared.gallery import gallery

_SHOWN = 8


def whole_category(detector: DetectorRow, dataset: DatasetRow) -> None:
    """A button, and what the run found."""
    chosen, n_references = current(detector)
    try:
        files = masked_defects(resources.test_images(detector, dataset).test)
    except GadError as error:
        with charts.panel("The whole category", frame.sentence(error)):
            return
    run = find_run(resources.store().cache, key_of(detector, dataset, chosen, n_references))
    about = f"All {len(files)} masked defects at {wording.tuning(chosen)}."
    with charts.panel("The whole category", about if run is None else finding(run)):
        if run is None:
            if st.button(
                "Explain them all", key="explain_all", icon=":material/play_arrow:", disabled=bool(tasks.own())
            ):
                submit(detector, dataset, chosen, n_references)
                st.rerun()
        else:
            _found(run, dataset, detector)
        _plane(dataset)


def current(detector: DetectorRow) -> tuple[Tuning, int]:
    """Tuning and number of references as the controls above say."""
    return settings.current(detector).tuning, int(st.session_state.get("references", 10))


def key_of(detector: DetectorRow, dataset: DatasetRow, chosen: Tuning, n_references: int) -> ExplanationKey:
    """What a run is kept under."""
    return ExplanationKey.of(dataset.id, dataset.modified.isoformat(), detector.id, chosen, n_references)


def submit(detector: DetectorRow, dataset: DatasetRow, chosen: Tuning, n_references: int) -> None:
    """Explain all masked defects in the background."""
    test, cache, folder = resources.test_images(detector, dataset), resources.feature_cache(), resources.store().cache
    network = resources.engine(detector.backbone).network
    area = auroc(resources.scores(detector, dataset, chosen)["sum"].test, test.images.labels)
    key = key_of(detector, dataset, chosen, n_references)

    def work(*, progress: Progress) -> ExplanationKey:
        category = explain_category(
            test.detector,
            network,
            test.images,
            tuning=chosen,
            n_references=n_references,
            cache=cache,
            progress=progress,
        )
        keep_run(folder, Run(key, area.value, category))
        return key

    tasks.submit("explain", f"Explain {dataset.name}", work)


def finding(run: Run) -> str:
    """The run in a sentence."""
    summary = run.category.summary
    if summary is None:
        return "No explanation score is defined: the masks are empty or cover everything."
    return f"{words(summary)}; AUROC {100 * run.auroc:.1f} %."


def words(summary: Summary) -> str:
    """A mean with its standard error, and what chance gives."""
    return (
        f"Mean explanation score {summary.mean:.1f} ± {summary.sem:.1f} (n = {summary.n}); a uniform map gets "
        f"{summary.uniform_mean:.1f}, shifted masks {summary.null_mean:.1f} [{summary.null_low:.1f}, "
        f"{summary.null_high:.1f}]"
    )


def _found(run: Run, dataset: DatasetRow, detector: DetectorRow) -> None:
    images = run.category.images
    rows = [
        {
            "defect": defect.replace("_", " "),
            "images": summary.n,
            "explanation score": f"{summary.mean:.1f} ± {summary.sem:.1f}",
            "uniform map": f"{summary.uniform_mean:.1f}",
            "shifted masks": f"{summary.null_mean:.1f}",
            "in the mask": wording.share(summary.share),
        }
        for defect, summary in summaries_by_type(
            [image.explanation for image in images], [image.defect for image in images]
        ).items()
    ]
    st.dataframe(pd.DataFrame(rows), hide_index=True, key="explained_types", alt=finding(run))
    files = {file.digest: file for file in resources.test_images(detector, dataset).test}
    known = [image for image in images if isinstance(image.explanation, Explanation) and image.digest in files]
    known.sort(key=lambda image: image.explanation.score if isinstance(image.explanation, Explanation) else 0)
    end = st.segmented_control(
        "Images",
        ["Worst explained", "Best explained"],
        default="Worst explained",
        required=True,
        key="explained_end",
        label_visibility="collapsed",
    )
    shown = known[:_SHOWN] if end == "Worst explained" else known[::-1][:_SHOWN]
    scores = [image.explanation.score for image in shown if isinstance(image.explanation, Explanation)]
    gallery(
        [files[image.digest] for image in shown],
        key=f"explained_{end}",
        caption=lambda place: f"{shown[place].defect.replace('_', ' ')} · {scores[place]:.1f}",
        on_press=lambda file: opened.open_image(file.digest),
    )


def _plane(dataset: DatasetRow) -> None:
    """Every run on this data set: what it detects against what it looks at (Table X)."""
    points = []
    for run in runs_on(resources.store().cache, dataset.id):
        if summary := run.category.summary:
            levels = ",".join(map(str, run.key.levels))
            points.append(
                {
                    "name": f"levels {levels}, {run.key.reduction}",
                    "auroc": 100 * run.auroc,
                    "score": summary.mean,
                    "sem": float(np.nan_to_num(summary.sem)),
                    "distance": distance_to_ideal(100 * run.auroc, summary.mean),
                }
            )
    if len(points) > 1:
        best = min(points, key=lambda point: float(point["distance"]))
        st.caption(f"Of {len(points)} runs, {best['name']} is nearest to the ideal corner: {best['distance']:.1f}.")
        charts.show(figures.explanation_plane(points), key="plane", alt="AUROC against explanation score of every run")
