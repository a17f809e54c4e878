"""What the Attributions page shows of one image: the image, its map, both together, and a map a level."""

from dataclasses import dataclass
from io import BytesIO

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from scipy import ndimage

from gad_core import figures, wording
from gad_core.attribution.category import mask_of
from gad_core.attribution.deep_shap import Attribution
from gad_core.attribution.explanation import Explanation, Undefined, explain_score, mask_weights
from gad_core.data.datasets import ImageFile
from gad_core.data.images import encode_png
from gad_core.workspace.rows import DetectorRow
from pages.shared import charts, resources

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Look:
    """How a map is drawn; nothing that is computed depends on it."""

    blur: float  # pixels
    opacity: float

    def smooth(self, values: Array) -> Array:
        """Blurred for the eye."""
        return np.asarray(ndimage.gaussian_filter(values, self.blur)) if self.blur else values


def met(found: Attribution, file: ImageFile) -> Explanation | Undefined | None:
    """How the map meets the image's mask; None without one."""
    return explain_score(found.total, mask_of(file)) if file.mask else None


def pictures(detector: DetectorRow, file: ImageFile, found: Attribution, look: Look) -> None:
    """Image, map and overlay, with the mask's outline."""
    image = resources.pixels(detector, file)
    values = look.smooth(found.total)
    limit = float(np.quantile(np.abs(values), 0.999)) or 1.0
    mask = mask_weights(mask_of(file), values.shape) > 0.5 if file.mask else None
    alt = f"{file.path.name}: attributions add up to {found.rgb.sum():.3g} distance"
    with st.grid(3, min_column_width=250):
        with charts.panel("Image", f"{file.path.name}, {file.defect.replace('_', ' ')}."):
            charts.show(figures.attribution_map(None, limit=1, image=image, mask=mask), key="image", alt=alt)
        with charts.panel("What it looks at", "Red raises the distance, blue lowers it."):
            charts.show(figures.attribution_map(values, limit=limit, mask=mask, bar=True), key="map", alt=alt)
        with charts.panel("Both", "Hover for a pixel's share."):
            figure = figures.attribution_map(values, limit=limit, image=image, mask=mask, opacity=look.opacity)
            charts.show(figure, key="overlay", alt=alt)
    st.caption(
        f"The map adds up to the difference of the distances within {found.gap:.1e} of the larger "
        f"({found.precision}; {found.rules}; {len(found.references)} references, drawn with seed 0)."
    )


def levels(found: Attribution, look: Look) -> None:
    """A map a level, with its share of the score; they add up to the large one."""
    if len(found.levels) == 1:
        return
    maps = [look.smooth(level) for level in found.by_level]
    shares = found.rgb.sum(axis=(1, 2, 3)) / found.rgb.sum()
    most = found.levels[int(np.argmax(shares))]
    finding = f"Level {most} gives most, {wording.percent(float(shares.max()))}; together they are the map above."
    limit = float(max(np.quantile(np.abs(level), 0.999) for level in maps)) or 1.0
    with charts.panel("Level by level", finding), st.grid(len(maps), min_column_width=100):
        for level, values, share in zip(found.levels, maps, shares, strict=True):
            with st.container(gap="xxsmall"):
                st.caption(f"level {level} · {wording.percent(float(share))}")
                figure = figures.attribution_map(values, limit=limit, height=150)
                charts.show(figure, key=f"map_{level}", alt=f"level {level}: {100 * share:.0f} % of the score")


def downloads(detector: DetectorRow, file: ImageFile, found: Attribution, look: Look) -> None:
    """The overlay as PNG and all numbers as NPZ."""
    values = look.smooth(found.total)
    limit = float(np.quantile(np.abs(values), 0.999)) or 1.0
    picture = figures.overlay(resources.pixels(detector, file), values, limit=limit, opacity=look.opacity)
    with st.container(horizontal=True):
        stem = file.path.stem
        st.download_button(
            "PNG", encode_png(picture), f"{stem}-attribution.png", icon=":material/image:", key="download_png"
        )
        st.download_button(
            "NPZ", lambda: _npz(found), f"{stem}-attribution.npz", icon=":material/data_array:", key="download_npz"
        )


def _npz(found: Attribution) -> bytes:
    stream = BytesIO()
    np.savez_compressed(
        stream,
        rgb=found.rgb,
        levels=found.levels,
        scores=found.scores,
        reference_scores=found.reference_scores,
        gap=found.gap,
    )
    return stream.getvalue()
