"""What synthetic defects have shown: curves with real defects over them, blind spots, examples, settings ranked."""

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from gad_core import figures, wording
from gad_core.data.images import resize
from gad_core.detectability.defects import WORDS, Drawn
from gad_core.detectability.drawing import Files, redraw
from gad_core.detectability.plan import GRID, Draw
from gad_core.detectability.results import PodCurve, Sensitivity
from gad_core.detectability.study import training_files
from gad_core.workspace.rows import DatasetRow
from pages.shared import charts, pictures, resources
from pages.shared.resources import TestImages
from pages.shared.text import plain

_WIDTH = 150  # of an example, in pixels
_AROUND = 2.0  # diameters on each side of a defect that its close-up shows
_LEAST = 0.1  # of the shorter side, that it shows at least
_FRAME = (240, 228, 66)  # of the place that it shows


def sentence(found: Sensitivity) -> str:
    """The strongest defect of the first kind, in a sentence."""
    of_kind = [curve for curve in found.curves if curve.kind == found.curves[0].kind]
    return _words(max(of_kind, key=lambda curve: curve.contrast), found.side)


def results(found: Sensitivity, test: TestImages, dataset: DatasetRow) -> None:
    """All panels of a study."""
    files = training_files(test.detector, resources.dataset(dataset))
    with st.grid(2, min_column_width=420):
        shown = _curves(found)
        _blind_spots(found, files, test)
    _examples(found, shown, files)
    _ranking(found)


def _curves(found: Sensitivity) -> list[PodCurve]:
    """POD of one kind, chosen, by contrast; gives the curves that are shown."""
    kinds = list(dict.fromkeys(curve.kind for curve in found.curves))
    kind = st.session_state.get("pod_kind")
    kind = kind if kind in kinds else kinds[0]
    shown = [curve for curve in found.curves if curve.kind == kind]
    finding = _family(shown)
    if found.real:
        caught = sum(one.caught for one in found.real)
        finding += f" Real defects with masks, of any kind: {caught} of {len(found.real)} caught."
    with charts.cornered("Probability of detection", finding) as corner:
        if len(kinds) > 1:
            corner.selectbox(
                "Kind", kinds, key="pod_kind", format_func=WORDS.__getitem__, label_visibility="collapsed", width=170
            )
        named = {f"contrast {curve.contrast:g}": curve.pod for curve in shown}
        charts.show(figures.detection_curves(named, side=found.side, real=found.real), key="pod", alt=finding)
        flagged = wording.rate(found.undamaged)
        st.caption(
            plain(f"As they are, {flagged} of the parts are flagged: no curve begins below. Bands: 95 % each way.")
        )
        for curve in shown:
            fit = curve.pod.curve.p_value if curve.pod.curve else None
            if fit is not None and fit < 0.01:
                st.caption(
                    f":material/warning: Contrast {curve.contrast:g}: the points lie off the curve (p = {fit:.2g})."
                )
    return shown


def _words(curve: PodCurve, side: int) -> str:
    """A curve in a sentence."""
    pod, what = curve.pod, f"{WORDS[curve.kind].capitalize()}, contrast {curve.contrast:g}"
    if pod.a90 is None:
        bound = f", 95 % confident from {_size(pod.a90_95, side)} on" if pod.a90_95 is not None else ""
        return f"{what}: {pod.note}{bound}."
    confident = f"95 % confident from {_size(pod.a90_95, side)}" if pod.a90_95 is not None else pod.note
    return f"{what}: from {_size(pod.a90, side)} on 90 of 100 are caught, {confident}."


def _family(shown: list[PodCurve]) -> str:
    """What 90 of 100 are caught from, by contrast."""

    def told(size: float | None) -> str:
        return f"{wording.number(size)} %" if size is not None else "not told"

    words = [
        f"contrast {curve.contrast:g} from {told(curve.pod.a90)}, 95 % confident from {told(curve.pod.a90_95)}"
        for curve in shown
    ]
    return f"{WORDS[shown[0].kind].capitalize()}: 90 of 100 are caught at {'; '.join(words)}."


def _size(size: float, side: int) -> str:
    return f"{wording.number(size)} % of the side ({wording.number(size * side / 100)} px)"


def _blind_spots(found: Sensitivity, files: Files, test: TestImages) -> None:
    """The share caught by place."""
    shares, draws = found.places.shares, found.places.draws
    worst, best = (divmod(int(pick(shares)), GRID) for pick in (np.nanargmin, np.nanargmax))
    words = [
        f"row {row + 1}, column {column + 1} ({wording.percent(shares[row, column])})" for row, column in (worst, best)
    ]
    finding = (
        f"Of the same {draws.max()} defects in every place, fewest are caught in {words[0]}, most in {words[1]}. What "
        "lies beside the part counts too: a region of interest leaves it out."
    )
    with charts.panel("Blind spots", finding):
        image = resources.pixels(test.detector.backbone, files[min(files)])
        charts.show(figures.blind_spots(shares, draws, image), key="blind_spots", alt=finding)


def _examples(found: Sensitivity, shown: list[PodCurve], files: Files) -> None:
    """Defects of the sizes that are caught about 10, 50 and 90 times in 100."""
    with charts.cornered(
        "Examples", "Of the sizes drawn, those caught nearest to 10, 50 and 90 times in 100."
    ) as corner:
        contrast = corner.selectbox(
            "Contrast",
            [curve.contrast for curve in shown],
            index=len(shown) - 1,
            format_func=lambda value: f"contrast {value:g}",
            key="example_contrast",
            label_visibility="collapsed",
            width=150,
        )
        curve = next((one for one in shown if one.contrast == contrast), shown[-1])
        rates = dict(zip(curve.pod.counts.sizes.tolist(), curve.pod.counts.rates, strict=True))
        with st.container(horizontal=True, gap="large", key="drawn_examples"):
            for place in found.examples(curve):
                draw = found.draws[place]
                verdict = "caught" if found.caught[place] else "missed"
                words = (
                    f"{_size(draw.defect.size, found.side)}: {wording.percent(rates[draw.defect.size].value)} caught"
                )
                _example(draw, files, f"{words}; this one is {verdict}")


def _example(draw: Draw, files: Files, words: str) -> None:
    drawn = redraw(draw, files)
    with st.container(width=2 * _WIDTH + 24, gap="xxsmall"):
        with st.container(horizontal=True, gap="small"):
            for pixels, what in zip(_views(drawn, draw.centre), ("whole", "close-up"), strict=True):
                st.image(pictures.url(pixels), width=_WIDTH, alt=f"{what}: {words}")
        st.caption(plain(words))


def _views(drawn: Drawn, centre: tuple[float, float]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """The image with a frame, and what is inside the frame."""
    height, width = drawn.mask.shape
    rows, columns = (np.flatnonzero(drawn.mask.any(axis=axis)) for axis in (1, 0))
    if not len(rows):  # finer than a pixel
        rows, columns = np.array([centre[1] * height]), np.array([centre[0] * width])
    spread = max(np.ptp(rows), np.ptp(columns))
    length = min(round(max(2 * _LEAST * min(height, width), _AROUND * spread)), height, width)
    top = int(np.clip(rows.mean() - length / 2, 0, height - length))
    left = int(np.clip(columns.mean() - length / 2, 0, width - length))
    bottom, right = top + length, left + length
    framed, thick = drawn.pixels.copy(), max(1, min(height, width) // 128)
    for edge in (slice(top, top + thick), slice(bottom - thick, bottom)):
        framed[edge, left:right] = _FRAME
    for edge in (slice(left, left + thick), slice(right - thick, right)):
        framed[top:bottom, edge] = _FRAME
    return resize(framed, 2 * _WIDTH), resize(np.ascontiguousarray(drawn.pixels[top:bottom, left:right]), 2 * _WIDTH)


def _order(found: Sensitivity) -> str:
    """Which setting comes first, and how far that is to be trusted."""
    first, agreed = found.ranking[0], found.agreement
    trust = "Without labelled defects nobody can say how far this order is to be trusted."
    if agreed:
        trust = f"The order by AUROC on the labelled images agrees by {agreed.value:.2f} (Spearman, n = {agreed.n})."
    elif first.area:
        trust = "All have the same AUROC on the labelled images, which says nothing of this order."
    if first.a90 is None:
        return f"No setting catches 90 of 100 at any size drawn; {wording.tuning(first.tuning)} catches most. {trust}"
    return (
        f"At {wording.percent(found.point.target_fpr)} good parts flagged, {wording.tuning(first.tuning)} catches the "
        f"smallest defects of contrast {max(found.settings.contrasts):g}. {trust}"
    )


def _ranking(found: Sensitivity) -> None:
    """Settings by a90, beside AUROC where labels exist."""
    if not found.ranking:
        charts.panel_without("Settings, ranked without defects", "The images do not support this target for a ranking.")
        return
    words = _order(found)
    with charts.panel("Settings, ranked without defects", words, loud=True):
        order = sorted(found.ranking, key=lambda one: -one.area.value if one.area else 0.0)
        rows = [
            {
                "setting": wording.tuning(one.tuning) + (" (measured)" if one.tuning == found.tuning else ""),
                "a90, % of the side": wording.number(one.a90) if one.a90 is not None else "not reached",
                "drawn defects caught": charts.cell(one.caught),
                **({"AUROC": wording.area(one.area), "rank by AUROC": order.index(one) + 1} if one.area else {}),
            }
            for one in found.ranking
        ]
        st.table(pd.DataFrame(rows), border="horizontal", hide_index=True, alt=words)
