"""Clever Hans: detectors that are right for the wrong reason, found out one by one, each with its honest twin."""

import numpy as np
import streamlit as st

from gad_core import figures, wording
from gad_core.attribution.explanation import Explanation, explain_score
from gad_core.data.datasets import ImageFile
from gad_core.data.demo.cheats import CHEATS, STAMP, Cheat
from gad_core.gaussian.tuning import Tuning
from gad_core.workspace.explanations import find_run
from gad_core.workspace.requests import Demo
from gad_core.workspace.rows import DatasetRow, DetectorRow
from pages.shared import charts, person, resources, tasks, views
from pages.views.attributions import hans_evidence, hans_stories, maps
from pages.views.attributions.category import key_of
from pages.views.attributions.hans_evidence import Pair, Pixels, Side

_DRAWING = maps.Drawing(blur=2.0, opacity=0.9)
_PLACE = "clever_hans"


def tour(
    detector: DetectorRow, dataset: DatasetRow, test: resources.TestImages, tuning: Tuning, n_references: int
) -> None:
    """On a cheating demo category its story, and the way to the next; elsewhere the way to the first."""
    cheat = hans_evidence.cheat_of(dataset)
    if cheat is None:
        with charts.panel(
            "Clever Hans",
            "A detector may be right for the wrong reason. Three demo categories show how that is found out.",
        ):
            _open(STAMP, detector, "Open")
        return
    story = hans_stories.STORIES[cheat.name]
    with charts.panel(f"Clever Hans, {[*CHEATS].index(cheat.name) + 1} of {len(CHEATS)}: {story.name}", story.about):
        with st.spinner(f"Explaining a part with {story.sign} and without, and drawing all honest twins …"):
            pair = hans_evidence.pair(test, dataset, cheat, tuning, n_references)
            if pair is None:
                st.caption("No defective part is left whose honest twin could be drawn.")
                return
            areas = hans_evidence.areas(test, cheat.name, tuning)
            found = story.found(test, dataset, tuning, pair)
        _numbers(story, areas, pair)
        _pictures(story, pair)
        _all_defects(test, tuning, n_references)
        for icon, words in (
            ("sentiment_satisfied", f"**It seems so.** AUROC {wording.percent(areas[0].value)} on these test images."),
            ("search", f"**Found by {story.tool}.** {found}"),
            ("theater_comedy", f"**Unmasked by its twins.** {_unmasked(story, areas, pair)}"),
        ):
            st.markdown(f":material/{icon}: {words}")
        with st.container(horizontal=True):
            if story.look:
                hans_stories.look_button(story)
            names = [*CHEATS]
            following = CHEATS[names[(names.index(cheat.name) + 1) % len(names)]]
            _open(following, detector, "Next:")


def twin_pixels(test: resources.TestImages, dataset: DatasetRow, file: ImageFile) -> Pixels | None:
    """The undamaged twin of a demo part at the size of the network's input; None elsewhere."""
    drawn = hans_evidence.drawn(dataset, file)
    return hans_evidence.sized(test, drawn.twin) if drawn is not None and drawn.twin is not None else None


def _open(cheat: Cheat, detector: DetectorRow, verb: str) -> None:
    name = hans_stories.STORIES[cheat.name].name
    if st.button(f"{verb} {name}", key="open_cheat", icon=":material/arrow_forward:", **person.changing()):
        asked = Demo(cheat.name, detector.backbone)
        tasks.ask(f"Demo {name}", asked, then="pages/attributions.py", place=_PLACE)
        st.rerun()
    tasks.cards(_PLACE)
    tasks.show_failure(_PLACE)


def _unmasked(story: hans_stories.Story, areas: hans_evidence.Areas, pair: Pair) -> str:
    before, after = (wording.number(side.attribution.score) for side in (pair.cheating, pair.honest))
    return (
        f"The same {areas[1].n_anomalous} defective parts without {story.sign} have AUROC "
        f"{wording.percent(areas[1].value)}; the one shown is at distance **{before}** with it, **{after}** without."
    )


def _numbers(story: hans_stories.Story, areas: hans_evidence.Areas, pair: Pair) -> None:
    sides = ((pair.cheating, story.sign.removeprefix("the ")), (pair.honest, "honest twin"))
    with st.grid(4, min_column_width=150):
        for area, (_, words) in zip(areas, sides, strict=True):
            st.metric(
                f"AUROC, {words}",
                wording.percent(area.value),
                f"95 % {wording.interval(area.low, area.high)}",
                **charts.QUIET,
                help="Of these test images."
                if area is areas[0]
                else "Of the same parts, drawn again without the sign, against the good parts that have none.",
            )
        for side, words in sides:
            _explained(side, pair, words)
        if pair.place is not None:
            chance = wording.percent(float(pair.place.mean()))
            for side, words in sides:
                st.metric(
                    f"{story.place}, {words}",
                    wording.share(side.share(pair.place)),
                    f"chance {chance}",
                    **charts.QUIET,
                    help="Of what raises the distance; by chance, the place's area of the image.",
                )


def _explained(side: Side, pair: Pair, words: str) -> None:
    on_defect = explain_score(side.attribution.total, pair.defect)
    if isinstance(on_defect, Explanation):
        st.metric(
            f"Explanation, {words}",
            f"{on_defect.score:.1f}",
            f"chance {on_defect.null_mean:.1f} [{on_defect.null_low:.1f}, {on_defect.null_high:.1f}]",
            **charts.QUIET,
            help="Explanation score of the part shown against its mask; by chance, under the mask at every "
            "other place.",
        )


def _all_defects(test: resources.TestImages, tuning: Tuning, n_references: int) -> None:
    """The explanation score of all defects, once it was asked for."""
    run = find_run(resources.store().explanations, key_of(test, tuning, n_references))
    if run and (mean := run.category.summary):
        st.caption(
            f"All {mean.n} masked defects here: mean explanation score {mean.mean:.1f} ± {mean.sem:.1f}, by chance "
            f"{mean.null_mean:.1f} [{mean.null_low:.1f}, {mean.null_high:.1f}]."
        )
    else:
        st.caption(f"The mean explanation score of all defects is had at the view {views.CATEGORY}.")


def _pictures(story: hans_stories.Story, pair: Pair) -> None:
    sides = ((pair.cheating, f"With {story.sign}", "hans_cheating"), (pair.honest, "Honest twin", "hans_honest"))
    smooth = [_DRAWING.smooth(side.attribution.total) for side, *_ in sides]
    limit = float(max(np.quantile(np.abs(values), 0.999) for values in smooth))
    with st.grid(2, min_column_width=280):
        for (side, name, key), values in zip(sides, smooth, strict=True):
            words = f"{name}: distance {wording.number(side.attribution.score)}"
            with st.container():
                st.caption(f"{words}. The defect ({pair.file.defect.replace('_', ' ')}) is outlined.")
                figure = figures.attribution_map(
                    values, limit=limit, image=side.pixels, mask=pair.defect, opacity=_DRAWING.opacity, height=300
                )
                charts.show(figure, key=key, alt=words)
