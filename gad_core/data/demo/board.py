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
    bridges: tuple[tuple[float, float, float, float], ...]  # boxes of surplus solder, canvas pixels from the centre
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
    scene = _bare()
    colour, height, gloss = scene.colour.copy(), scene.height.copy(), scene.gloss.copy()
    for part, shade in zip(board.parts, board.shade, strict=True):
        if part.kind:
            _mount(colour, height, gloss, part, shade)
    for box in board.bridges:
        _flow(colour, height, gloss, box)
    return _framed(board, _lit(board, colour, height, gloss))


def _lit(board: Board, colour: Field, height: Field, gloss: Field) -> Field:
    dx, dy = (np.clip(slope, -1.5, 1.5) for slope in surface.slopes(height))
    facing = 1 / np.sqrt(1 + dx * dx + dy * dy)
    lamp_x, lamp_y = board.lamp
    diffuse = 0.42 + 0.75 * np.maximum((0.8 - lamp_x * 1.4 * dx - lamp_y * 1.4 * dy) * facing, 0)
    off_x, off_y = lamp_x + dx, lamp_y + dy
    mirror = np.exp(-(off_x * off_x + off_y * off_y) * 9) + 0.30 * np.exp(-(dx * dx + dy * dy) * 14)
    above = np.roll(surface.blurred(height, 5), (8, 7), (0, 1)) - height
    lit = 1 - 0.62 * surface.step(0.5, 14, above)
    shine = surface.reduced(mirror * gloss * lit)[..., None] * np.float32(0.55)
    diffuse *= lit
    planes = [surface.reduced(colour[..., channel] * diffuse) for channel in range(3)]
    return np.stack(planes, axis=-1) + shine


def _framed(board: Board, light: Field) -> Field:
    """The light as the camera frames it: turned, shifted, a little magnified so that no edge shows."""
    cos, sin = math.cos(board.turn) / 1.05, math.sin(board.turn) / 1.05
    middle = (SIZE - 1) / 2
    x0 = middle - cos * (middle + board.shift[0]) - sin * (middle + board.shift[1])
    y0 = middle + sin * (middle + board.shift[0]) - cos * (middle + board.shift[1])
    matrix = (cos, sin, x0, -sin, cos, y0)
    seen = np.empty_like(light)
    for channel in range(3):
        plane = Image.fromarray(np.ascontiguousarray(light[..., channel]))
        framed = plane.transform((SIZE, SIZE), Image.Transform.AFFINE, matrix, Image.Resampling.BICUBIC)
        seen[..., channel] = np.asarray(framed)
    return seen * board.drift[..., None]


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
def _placed(part: Part) -> tuple[tuple[slice, slice], Field]:
    """Where a part lies on the canvas, and its planes there, turned and moved with sub-pixel accuracy.

    Planes (h, w, 6): cover, red, green, blue, height, gloss.
    """
    patch = _patch(part.kind)
    rows, columns = patch.cover.shape
    side = int(math.hypot(rows, columns)) + 4
    left, top = math.floor(part.x + CANVAS / 2 - side / 2), math.floor(part.y + CANVAS / 2 - side / 2)
    turn = math.radians(part.angle)
    cos, sin = math.cos(turn), math.sin(turn)
    cx, cy = part.x + CANVAS / 2 - left, part.y + CANVAS / 2 - top
    matrix = (cos, sin, columns / 2 - cos * cx - sin * cy, -sin, cos, rows / 2 + sin * cx - cos * cy)

    def turned(plane: Field) -> Field:
        image = Image.fromarray(np.ascontiguousarray(plane))
        return np.asarray(image.transform((side, side), Image.Transform.AFFINE, matrix, Image.Resampling.BILINEAR))

    rows_in = slice(max(top, 0), min(top + side, CANVAS))
    columns_in = slice(max(left, 0), min(left + side, CANVAS))
    there = (slice(rows_in.start - top, rows_in.stop - top), slice(columns_in.start - left, columns_in.stop - left))
    planes = (patch.cover, *np.moveaxis(patch.colour, -1, 0), patch.height, patch.gloss)
    return (rows_in, columns_in), np.stack([turned(plane)[there] for plane in planes], axis=-1)


def _mount(colour: Field, height: Field, gloss: Field, part: Part, shade: float) -> None:
    """Lay a part on the planes."""
    here, planes = _placed(part)
    cover = planes[..., 0]
    colour[here] += cover[..., None] * (planes[..., 1:4] * np.float32(shade) - colour[here])
    height[here] += cover * (planes[..., 4] - height[here])
    gloss[here] += cover * (planes[..., 5] - gloss[here])


def _flow(colour: Field, height: Field, gloss: Field, box: tuple[float, float, float, float]) -> None:
    """Lay surplus solder on the planes."""
    left, top, right, bottom = (v + CANVAS / 2 for v in box)
    here = (slice(int(top) - 2, int(bottom) + 3), slice(int(left) - 2, int(right) + 3))
    drop = components.blank(here[1].stop - here[1].start, here[0].stop - here[0].start)
    inner = (left - here[1].start, top - here[0].start, right - here[1].start, bottom - here[0].start)
    drop = components.soldered(drop, inner, height=9)
    colour[here] += drop.cover[..., None] * (drop.colour - colour[here])
    height[here] += drop.cover * (np.maximum(drop.height, height[here]) - height[here])
    gloss[here] += drop.cover * (drop.gloss - gloss[here])


@cache
def _bare() -> Patch:
    """The board before assembly: lacquer over copper, gilded pads with solder, white print."""
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
        tracks = np.maximum(tracks, components.lines(board, points, rng.choice([4, 4, 7])))
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
    weave = surface.grain(rng, length=3) * surface.grain(rng, length=3).T
    texture = np.where(board.gloss < 0.3, 1 + 0.03 * np.clip(weave, -3, 3), 1)[..., None]
    return replace(board, colour=board.colour * texture)


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
