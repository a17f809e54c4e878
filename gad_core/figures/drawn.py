"""A map as an SVG drawing for print: picture and colours as pixels, outline, scale and words as vectors."""

from html import escape

import numpy as np
from numpy.typing import NDArray

from gad_core.figures.attributions import data_url, edges, overlay
from gad_core.figures.palette import SELECTED
from gad_core.wording import number

Array = NDArray[np.float64]

_SIDE, _BAR, _MARGIN = 480, 14, 12  # user units
_STEPS = 41  # of the colour bar
_FONT = 'font-family="sans-serif" font-size="13" fill="#222"'


def map_svg(
    values: Array,
    image: NDArray[np.uint8],
    *,
    limit: float,
    mask: NDArray[np.bool_] | None = None,
    opacity: float = 1.0,
    title: str = "",
) -> str:
    """A map (S, S) over an image (S, S, 3), a mask's outline (S, S) and the scale from -`limit` to `limit`."""
    side = values.shape[0]
    pixels = overlay(image, values, limit=limit, opacity=opacity)
    width, top = _SIDE + 2 * _MARGIN, _MARGIN + (22 if title else 0)
    below = top + _SIDE + _MARGIN
    parts = [
        f'<image x="{_MARGIN}" y="{top}" width="{_SIDE}" height="{_SIDE}" preserveAspectRatio="none" '
        f'style="image-rendering:pixelated" href="{data_url(pixels)}"/>'
    ]
    if title:
        parts.append(f'<text x="{_MARGIN}" y="{_MARGIN + 10}" {_FONT}>{escape(title)}</text>')
    if mask is not None and mask.any():
        scale = f"translate({_MARGIN} {top}) scale({_SIDE / side:.6g}) translate(0.5 0.5)"
        parts.append(
            f'<path transform="{scale}" d="{edges(mask)}" fill="none" stroke="{SELECTED}" '
            f'stroke-width="2" vector-effect="non-scaling-stroke" stroke-linecap="square"/>'
        )
    parts += _scale(limit, below)
    height = below + _BAR + 30
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">'
        f"{''.join(parts)}</svg>\n"
    )


def _scale(limit: float, top: int) -> list[str]:
    """The colours with their numbers."""
    shades = overlay(np.full((1, _STEPS, 3), 255, np.uint8), np.linspace(-limit, limit, _STEPS)[None], limit=limit)[0]
    step = _SIDE / _STEPS
    parts = [
        f'<rect x="{_MARGIN + i * step:.2f}" y="{top}" width="{step + 0.3:.2f}" height="{_BAR}" '
        f'fill="rgb({red},{green},{blue})"/>'
        for i, (red, green, blue) in enumerate(shades.tolist())
    ]
    for at, anchor, value in ((0, "start", -limit), (_SIDE / 2, "middle", 0.0), (_SIDE, "end", limit)):
        words = f"{number(value)} distance a pixel" if anchor == "middle" else number(value)
        parts.append(f'<text x="{_MARGIN + at}" y="{top + _BAR + 16}" text-anchor="{anchor}" {_FONT}>{words}</text>')
    return parts
