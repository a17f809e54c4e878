"""`washer`: a turned steel washer on white card. Defects: scratches, dents, a missing bite, contamination."""

import math
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from scipy import ndimage

from gad_core.data.demo import surface
from gad_core.data.demo.camera import Camera, set_up
from gad_core.data.demo.surface import CANVAS, Field, Rng

DEFECTS = ("scratch", "dent", "bite", "contamination")

INNER, OUTER = 82.0, 166.0  # radii in canvas pixels
_MARGIN = 16  # canvas pixels by which a part may lie off the centre
_RINGS, _ANGLES = 128, 1024  # the face in polar coordinates
_STEEL = np.array([0.60, 0.615, 0.63], np.float32)
_CARD = np.array([0.66, 0.645, 0.61], np.float32)
_ROUGHNESS = (0.42, 0.17)  # across and along the turning marks: the light fans out
_THICKNESS = (11, 9)  # canvas pixels, as the shadow shows it


@dataclass(frozen=True)
class Lamp:
    """Half vector between lamp and camera, by its tangent, and strength."""

    x: float
    y: float
    strength: float


@dataclass(frozen=True)
class Washer:
    """A part before the camera; fields are on the canvas, tilts point where the surface faces."""

    radius: Field  # from the part's centre, in canvas pixels
    cos: Field
    sin: Field
    metal: Field  # coverage
    tilt_out: Field  # away from the centre
    tilt_round: Field  # counter-clockwise on screen axes
    sheen: Field  # share of light that the face returns
    film: Field  # (SIZE, SIZE, 3) or (1, 1, 3), light passed by what lies on it
    glint: Field  # light that what lies on it adds
    card: Field  # brightness of the card
    lamps: tuple[Lamp, ...]
    centre: tuple[float, float]  # canvas pixels from the canvas's centre
    camera: Camera


def lay_out(rng: Rng) -> Washer:
    """A faultless part: turned, moved and lit as it happens to come."""
    left, top = rng.integers(0, 2 * _MARGIN + 1, 2)
    window = np.s_[top : top + CANVAS, left : left + CANVAS]
    polar, steps = _polar()
    radius, cos, sin = (field[window] for field in polar)
    size = 1 + rng.normal(0, 0.006)
    place = _place_on_face(radius / size, steps[window] + rng.integers(_ANGLES))
    tilt_out, tilt_round, sheen = (table.ravel()[place] for table in _face(rng))
    x, y = surface.axes()
    turn = rng.normal(0, 0.10)
    key, fill = -2.2 + turn, 0.5 + turn
    return Washer(
        radius=radius,
        cos=cos,
        sin=sin,
        metal=np.clip(np.minimum(OUTER * size - radius, radius - INNER * size) + 0.5, 0, 1),
        tilt_out=tilt_out,
        tilt_round=tilt_round,
        sheen=sheen,
        film=np.ones((1, 1, 3), np.float32),
        glint=np.zeros((1, 1), np.float32),
        card=1
        + 0.012 * surface.cloud(rng, 70)
        + 0.02 * surface.cloud(rng, 2)
        - rng.normal(0.12, 0.02) * (x + y) / CANVAS,
        lamps=(
            Lamp(0.40 * math.cos(key), 0.40 * math.sin(key), 0.85 * rng.uniform(0.9, 1.1)),
            Lamp(0.45 * math.cos(fill), 0.45 * math.sin(fill), 0.38 * rng.uniform(0.9, 1.1)),
            Lamp(0.0, 0.0, 0.22),
        ),
        centre=(_MARGIN - float(left), _MARGIN - float(top)),
        camera=set_up(rng),
    )


def damage(washer: Washer, kind: str, rng: Rng) -> Washer:
    """The same part with one defect of a kind of `DEFECTS`."""
    makers = {"scratch": _scratch, "dent": _dent, "bite": _bite, "contamination": _contamination}
    return makers[kind](washer, rng)


def light_from(washer: Washer) -> Field:
    """Linear light (SIZE, SIZE, 3) that reaches the camera."""
    across, along = _ROUGHNESS
    shine = np.full_like(washer.radius, 0.16)
    for lamp in washer.lamps:
        off_out = (lamp.x * washer.cos + lamp.y * washer.sin - washer.tilt_out) * np.float32(1 / across)
        off_round = (lamp.y * washer.cos - lamp.x * washer.sin - washer.tilt_round) * np.float32(1 / along)
        shine += lamp.strength * np.exp(-(off_out * off_out + off_round * off_round))
    steel = surface.reduced(washer.metal * (shine * washer.sheen + washer.glint))
    shadow = surface.blurred(washer.metal, 8)
    cast = np.roll(shadow, _THICKNESS, (0, 1))
    paper = (1 - 0.50 * cast) * (1 - 0.35 * surface.blurred(washer.metal, 4)) * washer.card
    paper = surface.reduced(paper * (1 - washer.metal))
    return (steel[..., None] * _STEEL + paper[..., None] * _CARD) * washer.film


@cache
def _polar() -> tuple[tuple[Field, Field, Field], NDArray[np.intp]]:
    """Radius, its direction's cosine and sine, and beside them the angle in steps of the face, with room to move."""
    line = np.arange(CANVAS + 2 * _MARGIN, dtype=np.float32) - (CANVAS + 2 * _MARGIN - 1) / 2
    x, y = line[None, :], line[:, None]
    radius = np.hypot(x, y)
    angle = np.arctan2(y, x) * np.float32(_ANGLES / (2 * np.pi))
    return (radius, x / radius, y / radius), np.floor(angle).astype(np.intp)


def _place_on_face(radius: Field, angle: NDArray[np.intp]) -> NDArray[np.intp]:
    ring = (radius - np.float32(INNER)) * np.float32(_RINGS / (OUTER - INNER))
    return np.asarray(np.clip(ring, 0, _RINGS - 1).astype(np.intp) * _ANGLES + (angle & (_ANGLES - 1)))


def _face(rng: Rng) -> tuple[Field, Field, Field]:
    """Tilts and sheen of one face (_RINGS, _ANGLES): turning marks, both chamfers, the maker's engraving."""
    marks = rng.integers(0, 256, (_RINGS, _ANGLES), dtype=np.uint8).astype(np.float32) / 128 - 1
    marks = ndimage.uniform_filter1d(marks, 128, axis=1, mode="wrap") * 12
    rings = rng.normal(0, 1, _RINGS).astype(np.float32)[:, None]
    depth = np.linspace(0, 1, _RINGS, dtype=np.float32)[:, None]
    chamfer = 0.75 * surface.step(0.92, 0.955, depth) - 0.75 * surface.step(0.08, 0.045, depth)
    engraved_out, engraved_round, engraved_sheen = _engraving()
    tilt_out = 0.10 * marks + 0.09 * rings + chamfer + engraved_out
    tilt_round = 0.02 * marks + engraved_round
    return tilt_out, tilt_round, engraved_sheen * (1 + 0.05 * marks + 0.03 * rings) * rng.normal(1, 0.015)


@cache
def _engraving() -> tuple[Field, Field, Field]:
    """Tilts and sheen (_RINGS, _ANGLES) of letters pressed into the face."""
    per_pixel = _ANGLES / (np.pi * (INNER + OUTER)), _RINGS / (OUTER - INNER)
    flat = Image.new("L", (round(_ANGLES / per_pixel[0]), round(_RINGS / per_pixel[1])))
    draw = ImageDraw.Draw(flat)
    font = ImageFont.load_default(30)
    for text, share in (("M16", 0.10), ("A2-70", 0.60)):
        draw.text((share * flat.width, flat.height / 2), text, fill=255, font=font, anchor="lm", stroke_width=1)
    pressed = np.asarray(flat.resize((_ANGLES, _RINGS)), np.float32)[::-1] / 255  # outer rings have the larger index
    pressed = ndimage.gaussian_filter(pressed, 0.9)
    dx, dy = surface.slopes(pressed)
    return 1.1 * dy, 1.1 * dx, 1 - 0.28 * pressed


def _spot(washer: Washer, rng: Rng, *, margin: float = 0.2) -> tuple[float, float]:
    """A place on the face, in canvas pixels from the canvas's centre."""
    radius, angle = INNER + (OUTER - INNER) * rng.uniform(margin, 1 - margin), rng.uniform(0, 2 * np.pi)
    return washer.centre[0] + radius * math.cos(angle), washer.centre[1] + radius * math.sin(angle)


def _pressed(washer: Washer, depth: Field, *, sheen: Field | float = 1.0) -> Washer:
    """The face with a relief pressed into it, `depth` in canvas pixels."""
    dx, dy = surface.slopes(depth)  # the bottom lies lower, so the walls face down the slope of depth
    return replace(
        washer,
        tilt_out=washer.tilt_out + dx * washer.cos + dy * washer.sin,
        tilt_round=washer.tilt_round + dy * washer.cos - dx * washer.sin,
        sheen=washer.sheen * sheen,
    )


def _scratch(washer: Washer, rng: Rng) -> Washer:
    """One deep scratch, or a few fine ones side by side."""
    start, angle, length = _spot(washer, rng), rng.uniform(0, 2 * np.pi), rng.uniform(35, 130)
    bend, lines = rng.normal(0, 0.5), []
    for _ in range(rng.integers(1, 4)):
        begin = (start[0] + rng.normal(0, 7), start[1] + rng.normal(0, 7))
        lines.append(surface.curve(rng, begin, angle + rng.normal(0, 0.05), length * rng.uniform(0.5, 1), bend=bend))
    groove = surface.blurred(surface.drawn(lines, float(rng.integers(2, 5))), 1.0)
    return _pressed(washer, groove * rng.uniform(0.6, 1.6), sheen=1 + rng.uniform(0.1, 0.5) * groove)


def _dent(washer: Washer, rng: Rng) -> Washer:
    """A blow has pushed the face in."""
    radius = rng.uniform(14, 34)
    hollow = surface.blob(rng, _spot(washer, rng), radius, ragged=0.10, aspect=rng.uniform(1, 1.8))
    depth = surface.blurred(surface.step(0.0, 0.9, hollow), 2.0) * np.float32(rng.uniform(0.35, 0.8) * radius)
    return _pressed(washer, depth, sheen=1 - 0.12 * surface.step(0.1, 0.5, hollow))


def _bite(washer: Washer, rng: Rng) -> Washer:
    """A piece is broken out of the rim, outer or inner; the broken face is rough."""
    x, y = surface.axes()
    angle, size = rng.uniform(0, 2 * np.pi), rng.uniform(12, 38)
    rim = OUTER + 0.2 * size if rng.random() < 0.75 else INNER - 0.2 * size
    cx, cy = washer.centre[0] + rim * math.cos(angle), washer.centre[1] + rim * math.sin(angle)
    depth = surface.blob(rng, (cx, cy), size, ragged=0.10, aspect=rng.uniform(0.6, 1.6)) * np.float32(size)
    fracture = surface.step(-rng.uniform(4, 9), -1, depth)
    rough = 0.8 * surface.cloud(rng, 90) * fracture
    reach = np.maximum(np.hypot(x - cx, y - cy), 1)
    inward = 0.6 * fracture  # the broken wall faces the hole
    out, round_ = (cx - x) / reach * inward, (cy - y) / reach * inward
    return replace(
        washer,
        metal=washer.metal * np.clip(0.5 - depth, 0, 1),
        tilt_out=washer.tilt_out + out * washer.cos + round_ * washer.sin + rough,
        tilt_round=washer.tilt_round + round_ * washer.cos - out * washer.sin + 0.5 * rough,
        sheen=washer.sheen * (1 - 0.25 * fracture),
    )


def _contamination(washer: Washer, rng: Rng) -> Washer:
    """Rust, a drop of oil, or a textile fibre."""
    kind = rng.integers(3)
    if kind == 2:
        line = surface.curve(rng, _spot(washer, rng), rng.uniform(0, 7), rng.uniform(50, 130), bend=rng.normal(0, 3))
        lies = surface.reduced(surface.blurred(surface.drawn([line], 4), 0.8))[..., None]
        hue = np.array(((0.12, 0.2, 0.5), (0.5, 0.12, 0.1), (0.15, 0.15, 0.15))[rng.integers(3)], np.float32)
        return replace(washer, film=1 - lies * (1 - hue))
    depth = surface.blob(rng, _spot(washer, rng), rng.uniform(14, 40), ragged=0.35 if kind == 0 else 0.06, aspect=1.3)
    if kind == 0:
        mottled = surface.step(-0.1, 0.5, depth + 0.25 * surface.cloud(rng, 60) + 0.15 * surface.cloud(rng, 160))
        eaten = surface.reduced(mottled)[..., None] * np.float32(rng.uniform(0.5, 0.95))
        return replace(washer, film=1 - eaten * (1 - np.array((0.62, 0.32, 0.14), np.float32)))
    drop = _pressed(washer, -10 * surface.step(0, 0.5, depth))
    lies = surface.reduced(surface.step(0, 0.12, depth))[..., None] * np.float32(rng.uniform(0.4, 0.8))
    return replace(drop, film=1 - lies * (1 - np.array((0.55, 0.42, 0.22), np.float32)))
