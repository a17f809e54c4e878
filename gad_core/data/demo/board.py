"""`board`: an assembled circuit board. Logical defects: missing, swapped and rotated parts, a solder bridge."""

import math
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import Any

import numpy as np
from PIL import Image

from gad_core.data.demo import components, surface
from gad_core.data.demo.camera import Camera, set_up
from gad_core.data.demo.components import Patch
from gad_core.data.demo.surface import CANVAS, SIZE, Field, Rng

DEFECTS = ("missing", "swapped", "rotated", "solder_bridge")

_MASK: components.Colour = (0.012, 0.105, 0.052)  # green lacquer
_COPPER: components.Colour = (0.022, 0.165, 0.075)  # the same over copper
_GOLD: components.Colour = (0.72, 0.50, 0.20)
_CHIPS = ("resistor", "capacitor")


@dataclass(frozen=True)
class Part:
    """A part on its place; canvas pixels from the centre, degrees clockwise."""

    name: str
    kind: str
    x: float
    y: float
    angle: float = 0.0


#: The board as designed.
_DESIGN = (
    Part("U1", "circuit16", -118, -78),
    Part("U2", "circuit8", 150, -150),
    Part("C9", "can", 158, 140),
    Part("Y1", "crystal", -118, 150),
    Part("D1", "diode", 146, -20),
    Part("R1", "resistor", 22, -205),
    Part("R2", "resistor", 22, -163),
    Part("C1", "capacitor", 22, -120),
    Part("C2", "capacitor", 22, -65),
    Part("R3", "resistor", 22, -22),
    Part("C3", "capacitor", 22, 62, 90),
    Part("R4", "resistor", 62, 62, 90),
    Part("R5", "resistor", 22, 152),
    Part("C4", "capacitor", 22, 200),
    Part("R6", "resistor", -218, 152, 90),
)


@dataclass(frozen=True)
class Board:
    """An assembled board before the camera."""

    parts: tuple[Part, ...]
    bridges: tuple[components.Box, ...]  # boxes of surplus solder, canvas pixels from the centre
    shade: tuple[float, ...]  # brightness by part
    lamp: tuple[float, float]
    drift: Field  # (SIZE, SIZE) uneven light
    turn: float  # of the board, radians
    shift: tuple[float, float]  # photo pixels
    camera: Camera


def lay_out(rng: Rng) -> Board:
    """A faultless board, its parts placed as well as a machine does it."""
    parts = tuple(places[rng.integers(len(places))] for places in _placements())
    azimuth = rng.normal(-2.2, 0.05)
    return Board(
        parts=parts,
        bridges=(),
        shade=tuple(rng.normal(1, 0.02, len(parts)).tolist()),
        lamp=(0.42 * math.cos(azimuth), 0.42 * math.sin(azimuth)),
        drift=1 + 0.015 * surface.cloud(rng, 1, size=SIZE) + np.linspace(0.08, -0.08, SIZE, dtype=np.float32),
        turn=rng.normal(0, 0.003),
        shift=(rng.normal(0, 0.6), rng.normal(0, 0.6)),
        camera=set_up(rng),
    )


@cache
def _placements() -> tuple[tuple[Part, ...], ...]:
    """The few ways, half a pixel and half a degree apart, in which the machine places each part of the design."""
    jitter = np.random.default_rng(0).normal(0, 0.5, (len(_DESIGN), 8, 3)).tolist()
    return tuple(
        tuple(replace(part, x=part.x + dx, y=part.y + dy, angle=part.angle + turn) for dx, dy, turn in ways)
        for part, ways in zip(_DESIGN, jitter, strict=True)
    )


def damage(board: Board, kind: str, rng: Rng) -> Board:
    """The same board with one defect of a kind of `DEFECTS`."""
    return {"missing": _missing, "swapped": _swapped, "rotated": _rotated, "solder_bridge": _bridged}[kind](board, rng)


def light_from(board: Board) -> Field:
    """Linear light (SIZE, SIZE, 3) that reaches the camera."""
    scene = _bare().copy()
    for part, shade in zip(board.parts, board.shade, strict=True):
        if part.kind:
            _mount(scene, part, shade)
    for box in board.bridges:
        _flow(scene, box)
    return _framed(board, _lit(board, scene))


def _lit(board: Board, scene: Field) -> list[Field]:
    """Red, green and blue light (SIZE, SIZE) from the scene, straight above it."""
    height, gloss = scene[3], scene[4]
    dx, dy = (np.clip(slope, -1.5, 1.5) for slope in surface.slopes(height))
    steep = dx * dx + dy * dy
    lamp_x, lamp_y = board.lamp
    towards = lamp_x * dx + lamp_y * dy
    off = steep + 2 * towards + np.float32(lamp_x**2 + lamp_y**2)  # squared distance from the mirror's slope
    mirror = np.exp(-9 * off) + 0.30 * np.exp(-14 * steep)
    diffuse = 0.42 + 0.75 * np.maximum((0.8 - 1.4 * towards) / np.sqrt(1 + steep), 0)
    above = np.roll(surface.blurred(height, 5), (8, 7), (0, 1)) - height
    lit = 1 - 0.62 * surface.step(0.5, 14, above)
    shine = surface.reduced(mirror * gloss * lit) * np.float32(0.55)
    diffuse *= lit
    return [surface.reduced(colour * diffuse) + shine for colour in scene[:3]]


def _framed(board: Board, light: list[Field]) -> Field:
    """The light as the camera frames it: turned, shifted, a little magnified so that no edge shows."""
    cos, sin = math.cos(board.turn) / 1.05, math.sin(board.turn) / 1.05
    middle = (SIZE - 1) / 2
    x0 = middle - cos * (middle + board.shift[0]) - sin * (middle + board.shift[1])
    y0 = middle + sin * (middle + board.shift[0]) - cos * (middle + board.shift[1])
    moved = [_moved(plane, SIZE, (cos, sin, x0, -sin, cos, y0)) for plane in light]
    return np.stack(moved, axis=-1) * board.drift[..., None]


def _moved(plane: Field, side: int, matrix: tuple[float, ...]) -> Field:
    """A plane (side, side) that an affine map of its pixels reads from another."""
    image = Image.fromarray(np.ascontiguousarray(plane))
    return np.asarray(image.transform((side, side), Image.Transform.AFFINE, matrix, Image.Resampling.BILINEAR))


def _patch(kind: str) -> Patch:
    if kind == "circuit16":
        return components.circuit(16, 92, "GD1024P 26-07A")
    if kind == "circuit8":
        return components.circuit(8, 72, "LM358 D")
    if kind == "can":
        return components.can()
    if kind == "crystal":
        return components.crystal()
    return components.chip(kind)


@lru_cache(maxsize=256)
def _placed(part: Part) -> tuple[tuple[slice, ...], Field, Field]:
    """Where a part lies on the scene, what it lets show (h, w), and the planes (5, h, w) that it adds.

    It is turned and moved with sub-pixel accuracy.
    """
    patch = _patch(part.kind)
    rows, columns = patch.cover.shape
    side = int(math.hypot(rows, columns)) + 4
    left, top = math.floor(part.x + CANVAS / 2 - side / 2), math.floor(part.y + CANVAS / 2 - side / 2)
    turn = math.radians(part.angle)
    cos, sin = math.cos(turn), math.sin(turn)
    cx, cy = part.x + CANVAS / 2 - left, part.y + CANVAS / 2 - top
    matrix = (cos, sin, columns / 2 - cos * cx - sin * cy, -sin, cos, rows / 2 + sin * cx - cos * cy)
    rows_in = slice(max(top, 0), min(top + side, CANVAS))
    columns_in = slice(max(left, 0), min(left + side, CANVAS))
    there = (slice(rows_in.start - top, rows_in.stop - top), slice(columns_in.start - left, columns_in.stop - left))
    cover = _moved(patch.cover, side, matrix)[there]
    planes = np.stack([_moved(plane, side, matrix)[there] for plane in _planes(patch)])
    return (slice(None), rows_in, columns_in), 1 - cover, cover * planes


def _planes(patch: Patch) -> Field:
    """Red, green, blue, height and gloss (5, h, w)."""
    return np.stack([*np.moveaxis(patch.colour, -1, 0), patch.height, patch.gloss])


def _mount(scene: Field, part: Part, shade: float) -> None:
    """Lay a part on the scene."""
    here, showing, added = _placed(part)
    scene[here] *= showing
    scene[here] += added * np.array([shade, shade, shade, 1, 1], np.float32)[:, None, None]


def _flow(scene: Field, box: components.Box) -> None:
    """Lay surplus solder on the scene."""
    left, top, right, bottom = (v + CANVAS / 2 for v in box)
    rows, columns = slice(int(top) - 2, int(bottom) + 3), slice(int(left) - 2, int(right) + 3)
    drop = components.blank(columns.stop - columns.start, rows.stop - rows.start)
    inner = (left - columns.start, top - rows.start, right - columns.start, bottom - rows.start)
    drop = components.soldered(drop, inner, height=9)
    below = scene[:, rows, columns]
    planes = _planes(drop)
    planes[3] = np.maximum(planes[3], below[3])
    below += drop.cover * (planes - below)


@cache
def _bare() -> Field:
    """The scene (5, CANVAS, CANVAS) before assembly: lacquer over copper, gilded pads with solder, white print."""
    board = components.blank(CANVAS, CANVAS)
    half = CANVAS / 2
    everything = np.ones((CANVAS, CANVAS), np.float32)
    board = components.laid(board, everything, _MASK, height=0.0, gloss=0.16)
    rng = np.random.default_rng(2)
    tracks = np.zeros((CANVAS, CANVAS), np.float32)
    for _ in range(46):
        x, y = (22 * rng.integers(-11, 12, 2) + half).tolist()
        points = [(x, y)]
        for _ in range(rng.integers(1, 4)):
            length = 22 * rng.integers(1, 6)
            dx, dy = ((1, 0), (0, 1), (1, 1), (1, -1))[rng.integers(4)]
            sign = rng.choice([-1, 1])
            points.append((points[-1][0] + sign * dx * length, points[-1][1] + sign * dy * length))
        tracks = np.maximum(tracks, components.lines(board, points, int(rng.choice([4, 4, 7]))))
        for x, y in (points[0], points[-1]):
            tracks = np.maximum(tracks, components.ellipse(board, (x - 8, y - 8, x + 8, y + 8)))
    board = components.laid(board, tracks, _COPPER, height=1.2, gloss=0.2)
    for _ in range(26):
        x, y = (22 * rng.integers(-11, 12, 2) + half).tolist()
        board = components.laid(
            board, components.ellipse(board, (x - 7, y - 7, x + 7, y + 7)), _GOLD, height=1.0, gloss=0.6
        )
        board = components.laid(
            board, components.ellipse(board, (x - 3, y - 3, x + 3, y + 3)), (0.004, 0.01, 0.006), height=-3.0, gloss=0.0
        )
    for part in _DESIGN:
        board = _footprint(board, part)
    weave = surface.grain(rng, length=3, size=CANVAS) * surface.grain(rng, length=3, size=CANVAS).T
    texture = np.where(board.gloss < 0.3, 1 + 0.03 * np.clip(weave, -3, 3), 1)[..., None]
    return _planes(replace(board, colour=board.colour * texture))


def _footprint(board: Patch, part: Part) -> Patch:
    """Pads, tinned, and print around a part's place."""
    rows, columns = _patch(part.kind).cover.shape
    upright = part.angle == 90
    width, height = (rows, columns) if upright else (columns, rows)
    x, y = part.x + CANVAS / 2, part.y + CANVAS / 2
    pads: list[components.Box] = []
    if part.kind.startswith("circuit"):
        half = int(part.kind.removeprefix("circuit")) // 2
        for row in range(half):
            py = y + 22 * (row - (half - 1) / 2)
            pads += [(x + s * (width / 2 - 11) - 13, py - 7, x + s * (width / 2 - 11) + 13, py + 7) for s in (-1, 1)]
    else:
        reach = (height if upright else width) / 2 - 10
        breadth = min((width if upright else height) / 2 - 3, 14)
        for s in (-1, 1):
            cx, cy = (x, y + s * reach) if upright else (x + s * reach, y)
            w, h = (breadth, 11) if upright else (11, breadth)
            pads.append((cx - w, cy - h, cx + w, cy + h))
    for pad in pads:
        board = components.laid(board, components.rectangle(board, pad, radius=2), _GOLD, height=1.0, gloss=0.6)
        inner = (pad[0] + 2, pad[1] + 2, pad[2] - 2, pad[3] - 2)
        board = components.soldered(board, inner, height=2.5)
    frame = (x - width / 2 - 4, y - height / 2 - 4, x + width / 2 + 4, y + height / 2 + 4)
    line = components.rectangle(board, frame, radius=3)
    frame = (frame[0] + 2, frame[1] + 2, frame[2] - 2, frame[3] - 2)
    line = np.maximum(line - components.rectangle(board, frame, radius=3), 0)
    name = components.lettering(board, (x + width / 2 + 16, y - height / 2 + 6), part.name, 13)
    return components.laid(board, np.maximum(line, name), components.INK, height=board.height + 0.3, gloss=0.05)


def _missing(board: Board, rng: Rng) -> Board:
    """One part was not placed."""
    gone = int(rng.integers(1, len(board.parts)))
    return _with(board, gone, kind="")


def _swapped(board: Board, rng: Rng) -> Board:
    """Two resistors and two capacitors have changed places: a reel was loaded into the wrong feeder."""
    kinds = [part.kind for part in board.parts]
    resistors, capacitors = ([i for i, kind in enumerate(kinds) if kind == wanted] for wanted in _CHIPS)
    chosen = (rng.choice(candidates, 2, replace=False).tolist() for candidates in (resistors, capacitors))
    for one, other in zip(*chosen, strict=True):
        board = _with(_with(board, one, kind=kinds[other]), other, kind=kinds[one])
    return board


def _rotated(board: Board, rng: Rng) -> Board:
    """A part sits the wrong way round, or askew."""
    which = int(rng.integers(len(board.parts)))
    part = board.parts[which]
    if part.kind in _CHIPS:
        return _with(board, which, angle=part.angle + rng.choice([-1, 1]) * rng.uniform(15, 90))
    return _with(board, which, angle=part.angle + 180)


def _bridged(board: Board, rng: Rng) -> Board:
    """Solder joins neighbouring leads of a circuit."""
    part = board.parts[rng.integers(2)]
    half = int(part.kind.removeprefix("circuit")) // 2
    width = _patch(part.kind).cover.shape[1]
    x = part.x + rng.choice([-1, 1]) * (width / 2 - rng.uniform(6, 12))
    y = part.y + 22 * (rng.integers(half - 1) - (half - 2) / 2)
    w, h = rng.uniform(11, 16), rng.uniform(18, 34)
    return replace(board, bridges=((x - w, y - h, x + w, y + h),))


def _with(board: Board, which: int, **change: Any) -> Board:
    parts = list(board.parts)
    parts[which] = replace(parts[which], **change)
    return replace(board, parts=tuple(parts))
