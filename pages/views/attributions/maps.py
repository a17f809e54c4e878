"""One explained image: the image, its map, both together, and a map a level."""

from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np
import plotly.graph_objects as go
import streamlit as st
from numpy.typing import NDArray
from scipy import ndimage

from gad_core import figures, wording
from gad_core.attribution.attribution_map import Attribution
from gad_core.attribution.explanation import mask_weights
from gad_core.data.datasets import ImageFile
from gad_core.data.images import encode_png
from pages.shared import charts, downloads

Array = NDArray[np.float64]

_SIDE = 276  # of a picture, in pixels: three of them fit beside the menu at 1440
_NARROW = 206  # where there are four


@dataclass(frozen=True)
class Drawing:
    """How a map is drawn; nothing that is computed depends on it."""

    blur: float  # pixels
    opacity: float

    def smooth(self, values: Array) -> Array:
        """Blurred for the eye."""
        return np.asarray(ndimage.gaussian_filter(values, self.blur)) if self.blur else values


def limit_of(values: Array) -> float:
    """The value at which a map's colours end: all but a hundredth of the pixels lie within."""
    return float(np.quantile(np.abs(values), 0.99)) or 1.0


@dataclass(frozen=True)
class RegionMap:
    """Standardised distances of an image's regions, and what only a share of those of good parts exceeds."""

    values: Array  # (rows, columns)
    limit: float
    share: float
    inspected: NDArray[np.bool_] | None  # the region of interest (S, S), where there is one
    chosen: int  # the region that is looked at, row by row, from 0
    choose: Callable[[int], None]


@dataclass(frozen=True)
class Shown:
    """A map as it is drawn, and the image that it lies over."""

    file: ImageFile
    image: NDArray[np.uint8]  # (S, S, 3)
    values: Array  # (S, S)
    limit: float
    mask: NDArray[np.bool_] | None  # (S, S) the pixels of which it covers more than half
    opacity: float

    @classmethod
    def of(
        cls,
        attribution: Attribution,
        file: ImageFile,
        image: NDArray[np.uint8],
        mask: NDArray[np.bool_] | None,
        drawing: Drawing,
    ) -> "Shown":
        """The whole map; `mask` (h, w) is of the image's own size."""
        values = drawing.smooth(attribution.total)
        covered = None if mask is None else mask_weights(mask, values.shape) > 0.5
        return cls(file, image, values, limit_of(values), covered, drawing.opacity)


def pictures(attribution: Attribution, shown: Shown, regions: RegionMap | None = None) -> None:
    """Image, map and overlay at equal size, with the mask's outline, and the regions; below, the scale of both maps."""
    file, image, mask, limit = shown.file, shown.image, shown.mask, shown.limit
    alt = f"{file.path.name}: attributions add up to {attribution.rgb.sum():.3g} distance"
    outline = " The mask is outlined." if mask is not None else ""
    side = _NARROW if regions else _SIDE
    with st.grid(4 if regions else 3, min_column_width=side + 10):
        with charts.panel("Image", f"{file.path.name}, {file.defect.replace('_', ' ')}.{outline}"):
            charts.show(_picture(None, side, limit=1, image=image, mask=mask), key="image", alt=alt)
        with charts.panel("Attribution map", "Red raises the distance, blue lowers it."):
            charts.show(_picture(shown.values, side, limit=limit, mask=mask), key="map", alt=alt)
        with charts.panel("Overlay", "Hover for a pixel's share."):
            figure = _picture(shown.values, side, limit=limit, image=image, mask=mask, opacity=shown.opacity)
            charts.show(figure, key="overlay", alt=alt)
        if regions:
            _regions(regions, shown)
    _scale(limit)
    st.caption(
        f"The map adds up to the difference of the distances within {attribution.gap:.1e} of the larger "
        f"({attribution.precision}; {attribution.rules}; {len(attribution.references)} references, drawn with seed 0)."
    )
    if regions and regions.inspected is not None:
        weight = np.abs(attribution.total)
        share = float(weight[regions.inspected].sum() / weight.sum())
        st.caption(
            f":material/crop_free: {wording.percent(share)} of the map lies in the region of interest; the rest "
            "reaches it because the network sees beyond a region's edge."
        )


def _scale(limit: float) -> None:
    """The colours of map and overlay, with numbers below."""
    ends = f"{-limit:.2g}", f"{limit:.2g}"
    words = f"Colours of map and overlay: from {ends[0]} (blue) to {ends[1]} (red) distance a pixel"
    st.html(
        f'<div class="gad-scale" role="img" aria-label="{words}" style="--colours: {figures.map_gradient()}">'
        f"<span>{ends[0]}</span><span>0<br>distance a pixel</span><span>{ends[1]}</span></div>"
    )


def _regions(regions: RegionMap, shown: Shown) -> None:
    """The image's regions, each against its own left-out good parts."""
    over = int(np.count_nonzero(regions.values > regions.limit))
    counted = int(np.count_nonzero(np.isfinite(regions.values)))
    words = (
        f"{over} of {counted} above {regions.limit:.2f} (yellow to red), as {wording.percent(regions.share)} of those "
        "of good parts are."
    )
    with charts.panel("Regions", words):
        figure = figures.region_map(
            regions.values, shown.image, limit=regions.limit, mask=shown.mask, chosen=regions.chosen, height=_NARROW
        )
        charts.pick(
            figure,
            key="region_map",
            alt=f"{shown.file.path.name}: {words}",
            on_pick=lambda point: regions.choose(int(charts.custom(point)[0])),
        )


def _picture(values: Array | None, side: int, **options: Any) -> go.Figure:
    return figures.attribution_map(values, height=side, **options)


def levels(attribution: Attribution, drawing: Drawing) -> None:
    """A map a level, with its share of the score; they add up to the large one."""
    if len(attribution.levels) == 1:
        return
    maps = [drawing.smooth(level) for level in attribution.by_level]
    shares = attribution.rgb.sum(axis=(1, 2, 3)) / attribution.rgb.sum()
    most = attribution.levels[int(np.argmax(shares))]
    finding = (
        f"Level {most} gives most, {wording.percent(float(shares.max()))}; together they are the map above. Each has "
        "colours of its own scale, which ends at the ± below it."
    )
    with charts.panel("Attribution maps by level", finding), st.grid(len(maps), min_column_width=130):
        for level, values, share in zip(attribution.levels, maps, shares, strict=True):
            limit = limit_of(values)
            words = f"level {level} · {wording.percent(float(share))}"
            with st.container(gap="xxsmall"):
                st.markdown(words)
                figure = figures.attribution_map(values, limit=limit, height=150)
                charts.show(figure, key=f"map_{level}", alt=f"level {level}: {100 * share:.0f} % of the score")
                st.markdown(f":gray[± {limit:.2g}]", text_alignment="center")


def files(attribution: Attribution, shown: Shown) -> None:
    """The overlay as a picture and as a drawing, the map as a table, and all numbers as NPZ."""
    image, values = shown.image, shown.values
    look: dict[str, Any] = {"limit": shown.limit, "opacity": shown.opacity}
    title = f"{shown.file.path.name}: distance {wording.number(attribution.score)}"
    downloads.row(
        f"{shown.file.path.stem}-attribution",
        key="download",
        png=lambda: encode_png(figures.overlay(image, values, **look)),
        svg=lambda: figures.map_svg(values, image, mask=shown.mask, title=title, **look),
        csv=lambda: downloads.grid(attribution.total),
        npz=lambda: _npz(attribution),
    )


def _npz(attribution: Attribution) -> bytes:
    stream = BytesIO()
    np.savez_compressed(
        stream,
        rgb=attribution.rgb,
        levels=attribution.levels,
        scores=attribution.scores,
        reference_scores=attribution.reference_scores,
        gap=attribution.gap,
    )
    return stream.getvalue()
