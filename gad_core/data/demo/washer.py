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
from gad_core.data.demo.surface import CANVAS, SIZE, Field, Rng

DEFECTS = ("scratch", "dent", "bite", "contamination")

_INNER, _OUTER = 82.0, 166.0  # radii in canvas pixels
_FACE = 344  # side of the square around the part, in canvas pixels
_JITTER = 8  # photo pixels by which a part may lie off the centre, either way
_RINGS, _ANGLES = 128, 1024  # the face in polar coordinates
_STEEL = np.array([0.60, 0.615, 0.63], np.float32)
_CARD = np.array([0.62, 0.605, 0.57], np.float32)
_ROUGHNESS = (0.42, 0.15)  # across and along the turning marks: the light fans out
_SHADOW = (6, 5)  # photo pixels down and right, by the part's thickness
_CLEAN = np.zeros((1, 1), np.float32)


@dataclass(frozen=True)
class Lamp:
    """Half vector between lamp and camera, by its tangent, and strength."""

    x: float
    y: float
    strength: float


@dataclass(frozen=True)
class Washer:
    """A part before the camera; fields (_FACE, _FACE) are centred on it, tilts point where the surface faces."""

    metal: Field  # coverage
    tilt_out: Field  # away from the centre
    tilt_round: Field  # clockwise
    sheen: Field  # share of light that the face returns
    dirt: Field  # coverage by what lies on it
    hue: tuple[float, float, float]  # light that the dirt lets pass
    corner: tuple[int, int]  # canvas row and column of the fields' first element
    lamps: tuple[Lamp, ...]
    card: Field  # (SIZE, SIZE) brightness
    camera: Camera


def lay_out(rng: Rng) -> Washer:
    """A faultless part: turned, moved and lit as it happens to come."""
    radius, _, _, angle = _polar()
    size, turn = 1 + rng.normal(0, 0.006), rng.normal(0, 0.10)
    ring = (radius * (1 / size) - _INNER) * (_RINGS / (_OUTER - _INNER))
    place = np.clip(ring, 0, _RINGS - 1).astype(np.intp) * _ANGLES + ((angle + rng.integers(_ANGLES)) & (_ANGLES - 1))
    tilt_out, tilt_round, sheen = (np.take(table, place) for table in _face(rng))
    x, y = surface.axes(SIZE)
    row, column = (CANVAS - _FACE) // 2 + 2 * rng.integers(-_JITTER, _JITTER + 1, 2)
    paper = 0.012 * surface.cloud(rng, 70, size=SIZE) + 0.02 * surface.cloud(rng, 2, size=SIZE)
    return Washer(
        metal=np.clip(np.minimum(_OUTER * size - radius, radius - _INNER * size) + 0.5, 0, 1),
        tilt_out=tilt_out,
        tilt_round=tilt_round,
        sheen=sheen,
        dirt=_CLEAN,
        hue=(1.0, 1.0, 1.0),
        corner=(int(row), int(column)),
        lamps=(
            _lamp(-2.2 + turn, 0.40, 1.45 * rng.uniform(0.93, 1.07)),
            _lamp(0.5 + turn, 0.45, 0.75 * rng.uniform(0.93, 1.07)),
            Lamp(0.0, 0.0, 0.20),
        ),
        card=1 + paper - rng.normal(0.12, 0.02) * (x + y) / SIZE,
        camera=set_up(rng),
    )


def damage(washer: Washer, kind: str, rng: Rng) -> Washer:
    """The same part with one defect of a kind of `DEFECTS`."""
    makers = {"scratch": _scratch, "dent": _dent, "bite": _bite, "contamination": _contamination}
    return makers[kind](washer, rng)


def light_from(washer: Washer) -> Field:
    """Linear light (SIZE, SIZE, 3) that reaches the camera."""
    _, cos, sin, _ = _polar()
    across, along = _ROUGHNESS
    shine = np.full_like(cos, 0.13)
    for lamp in washer.lamps:
        off_out = (lamp.x * cos + lamp.y * sin - washer.tilt_out) * (1 / across)
        off_round = (lamp.y * cos - lamp.x * sin - washer.tilt_round) * (1 / along)
        shine += lamp.strength * np.exp(-(off_out * off_out + off_round * off_round))
    metal = _on_card(washer, washer.metal)
    near, far = surface.blurred(metal, 2), surface.blurred(metal, 4)
    card = washer.card * (1 - metal) * (1 - 0.40 * near) * (1 - 0.55 * np.roll(far, _SHADOW, (0, 1)))
    steel = _on_card(washer, washer.metal * shine * washer.sheen)
    light = steel[..., None] * _STEEL + card[..., None] * _CARD
    if washer.dirt is not _CLEAN:
        light *= 1 - _on_card(washer, washer.dirt)[..., None] * (1 - np.array(washer.hue, np.float32))
    return np.asarray(light)


def _on_card(washer: Washer, field: Field) -> Field:
    """A field around the part in its place on the photo (SIZE, SIZE)."""
    photo = np.zeros((SIZE, SIZE), np.float32)
    row, column = (corner // 2 for corner in washer.corner)
    photo[row : row + _FACE // 2, column : column + _FACE // 2] = surface.reduced(field)
    return photo


def _lamp(azimuth: float, reach: float, strength: float) -> Lamp:
    return Lamp(reach * math.cos(azimuth), reach * math.sin(azimuth), strength)


@cache
def _polar() -> tuple[Field, Field, Field, NDArray[np.intp]]:
    """Radius, its direction's cosine and sine, and the angle in steps of the face (_FACE, _FACE)."""
    x, y = surface.axes(_FACE)
    radius = np.hypot(x, y)
    angle = np.arctan2(y, x) * np.float32(_ANGLES / (2 * np.pi))
    return radius, x / radius, y / radius, np.floor(angle).astype(np.intp)


def _face(rng: Rng) -> tuple[Field, Field, Field]:
    """Tilts and sheen of one face (_RINGS, _ANGLES): turning marks, both chamfers, the maker's engraving."""
    marks = rng.integers(0, 256, (_RINGS, _ANGLES), dtype=np.uint8).astype(np.float32) / 128 - 1
    marks = ndimage.uniform_filter1d(marks, 128, axis=1, mode="wrap") * 12
    rings = rng.standard_normal((_RINGS, 1), dtype=np.float32)
    depth = np.linspace(0, 1, _RINGS, dtype=np.float32)[:, None]
    chamfer = 0.75 * surface.step(0.92, 0.955, depth) - 0.75 * surface.step(0.08, 0.045, depth)
    pressed_out, pressed_round, pressed_sheen = _engraving()
    tilt_out = 0.10 * marks + (0.09 * rings + chamfer) + pressed_out
    sheen = pressed_sheen * (1 + 0.05 * marks + 0.03 * rings) * rng.normal(1, 0.015)
    return tilt_out, 0.02 * marks + pressed_round, sheen


@cache
def _engraving() -> tuple[Field, Field, Field]:
    """Tilts and sheen (_RINGS, _ANGLES) of letters pressed into the face."""
    flat = Image.new("L", (round(np.pi * (_INNER + _OUTER)), round(_OUTER - _INNER)))
    draw, font = ImageDraw.Draw(flat), ImageFont.load_default(30)
    for text, share in (("M16", 0.10), ("A2-70", 0.60)):
        draw.text((share * flat.width, flat.height / 2), text, fill=255, font=font, anchor="lm", stroke_width=1)
    pressed = np.asarray(flat.resize((_ANGLES, _RINGS)), np.float32)[::-1] / 255  # row 0 is the innermost ring
    pressed = ndimage.gaussian_filter(pressed, 0.9)
    dx, dy = surface.slopes(pressed)
    return 1.1 * dy, 1.1 * dx, 1 - 0.28 * pressed


def _spot(rng: Rng) -> surface.Point:
    """A place on the face."""
    radius, angle = _INNER + (_OUTER - _INNER) * rng.uniform(0.2, 0.8), rng.uniform(0, 2 * np.pi)
    return radius * math.cos(angle), radius * math.sin(angle)


def _tilted(washer: Washer, x: Field, y: Field, *, sheen: Field) -> Washer:
    """The face, tilted further towards x and y."""
    _, cos, sin, _ = _polar()
    return replace(
        washer,
        tilt_out=washer.tilt_out + x * cos + y * sin,
        tilt_round=washer.tilt_round + y * cos - x * sin,
        sheen=washer.sheen * sheen,
    )


def _scratch(washer: Washer, rng: Rng) -> Washer:
    """One deep scratch, or a few fine ones side by side."""
    start, angle, length = _spot(rng), rng.uniform(0, 2 * np.pi), rng.uniform(35, 130)
    bend, lines = rng.normal(0, 0.5), []
    for _ in range(rng.integers(1, 4)):
        begin = (start[0] + rng.normal(0, 7), start[1] + rng.normal(0, 7))
        lines.append(surface.curve(rng, begin, angle + rng.normal(0, 0.05), length * rng.uniform(0.5, 1), bend=bend))
    groove = surface.blurred(surface.drawn(lines, int(rng.integers(2, 5)), size=_FACE), 1.0)
    depth = surface.slopes(groove * np.float32(rng.uniform(0.6, 1.6)))  # the walls face down the slope of depth
    return _tilted(washer, *depth, sheen=1 + np.float32(rng.uniform(0.1, 0.5)) * groove)


def _dent(washer: Washer, rng: Rng) -> Washer:
    """A blow has pushed the face in."""
    radius = rng.uniform(14, 36)
    hollow = surface.blob(rng, _spot(rng), radius, size=_FACE, ragged=0.10, aspect=rng.uniform(1, 1.8))
    depth = surface.blurred(surface.step(0.0, 0.9, hollow), 2.0) * np.float32(rng.uniform(0.12, 0.5) * radius)
    return _tilted(washer, *surface.slopes(depth), sheen=1 - 0.10 * surface.step(0.1, 0.5, hollow))


def _bite(washer: Washer, rng: Rng) -> Washer:
    """A piece is broken out of the rim, outer or inner; the broken face is rough."""
    x, y = surface.axes(_FACE)
    angle, size = rng.uniform(0, 2 * np.pi), rng.uniform(10, 38)
    rim = _OUTER + 0.2 * size if rng.random() < 0.75 else _INNER - 0.2 * size
    cx, cy = rim * math.cos(angle), rim * math.sin(angle)
    depth = surface.blob(rng, (cx, cy), size, size=_FACE, ragged=0.10, aspect=rng.uniform(0.6, 1.6)) * np.float32(size)
    fracture = surface.step(-rng.uniform(4, 9), -1, depth)
    rough = 0.8 * surface.cloud(rng, 60, size=_FACE) * fracture
    facing = (0.6 * fracture + rough) / np.maximum(np.hypot(x - cx, y - cy), 1)  # the wall faces the gap
    broken = _tilted(washer, (cx - x) * facing, (cy - y) * facing, sheen=1 - 0.25 * fracture)
    return replace(broken, metal=washer.metal * np.clip(0.5 - depth, 0, 1))


def _contamination(washer: Washer, rng: Rng) -> Washer:
    """Rust, a drop of oil, or a textile fibre."""
    kind = rng.integers(3)
    if kind == 0:
        line = surface.curve(rng, _spot(rng), rng.uniform(0, 7), rng.uniform(50, 130), bend=rng.normal(0, 3))
        lies = surface.blurred(surface.drawn([line], 4, size=_FACE), 0.8)
        return replace(washer, dirt=lies, hue=((0.12, 0.2, 0.5), (0.5, 0.12, 0.1), (0.15, 0.15, 0.15))[rng.integers(3)])
    if kind == 1:
        depth = surface.blob(rng, _spot(rng), rng.uniform(14, 42), size=_FACE, ragged=0.30, aspect=1.3)
        pits = surface.cloud(rng, 40, size=_FACE) + surface.cloud(rng, 110, size=_FACE)
        eaten = surface.step(-0.2, 0.7, depth + 0.22 * pits) * (0.8 + 0.12 * pits) * np.float32(rng.uniform(0.6, 1.0))
        return replace(washer, dirt=np.clip(eaten, 0, 1) * washer.metal, hue=(0.50, 0.23, 0.09))
    depth = surface.blob(rng, _spot(rng), rng.uniform(14, 42), size=_FACE, ragged=0.06, aspect=1.3)
    bulge = surface.slopes(-8 * surface.step(0, 0.6, depth))
    drop = _tilted(washer, *bulge, sheen=np.ones((1, 1), np.float32))
    lies = surface.step(0, 0.12, depth) * np.float32(rng.uniform(0.4, 0.85))
    return replace(drop, dirt=lies * washer.metal, hue=(0.50, 0.38, 0.18))
