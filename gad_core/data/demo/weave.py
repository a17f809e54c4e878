"""`weave`: plain-woven cloth under raking light. Defects: broken threads, stains, holes, colour."""

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gad_core.data.demo import surface
from gad_core.data.demo.camera import Camera, set_up
from gad_core.data.demo.surface import CANVAS, SIZE, Field, Rng

DEFECTS = ("thread_break", "stain", "hole", "colour")

_PITCH = 17.0  # canvas pixels from thread to thread
_DYED = np.array([0.16, 0.24, 0.38], np.float32)  # warp
_RAW = np.array([0.66, 0.62, 0.54], np.float32)  # weft
_TABLE = np.array([0.030, 0.027, 0.025], np.float32)  # what shows through a hole
_FLOOR = -6.0  # where there is no thread; the table itself lies deeper and in the dark
_BAND = 128  # canvas rows drawn at a time
_NONE = np.zeros((CANVAS, CANVAS), np.float32)
_PLAIN = np.ones((1, 1, 3), np.float32)


@dataclass(frozen=True)
class Threads:
    """One of the two sets of threads; fields are on the canvas."""

    number: NDArray[np.int32]  # of the thread
    across: Field  # place across it, -0.5 to 0.5 of the pitch
    width: Field  # of the pitch; 0 where the thread is gone
    dye: Field  # (SIZE, SIZE, 3) or (1, 1, 3), factor on the colour


@dataclass(frozen=True)
class Cloth:
    """Warp runs down, weft across; fields are on the canvas, `film` on the photo."""

    warp: Threads
    weft: Threads
    down: Field  # fine relief of fibres along the warp
    across: Field  # and along the weft
    fuzz: Field  # coverage by loose fibres
    end: Field  # coverage by the loose end of a thread
    film: Field  # share of light that a stain lets pass
    light: tuple[float, float, float]
    drift: Field  # (SIZE, SIZE) uneven light
    camera: Camera


def lay_out(rng: Rng) -> Cloth:
    """A piece of faultless cloth before the camera."""
    x, y = surface.axes(CANVAS)
    angle, scale = rng.normal(0, 0.012), (1 + rng.normal(0, 0.008)) / _PITCH
    cos, sin = math.cos(angle) * scale, math.sin(angle) * scale
    wander = 0.10 * surface.cloud(rng, 5, size=CANVAS) + 0.035 * surface.cloud(rng, 40, size=CANVAS)
    swell = 0.06 * surface.cloud(rng, 24, size=CANVAS)
    fibres = surface.grain(rng, length=9, size=CANVAS)
    azimuth = rng.normal(-2.2, 0.10)
    return Cloth(
        warp=_spin(rng, x * cos + y * sin + wander, swell, 0.80),
        weft=_spin(rng, y * cos - x * sin + _turned(wander), _turned(swell), 0.88),
        down=fibres,
        across=_turned(fibres),
        fuzz=_fuzz(rng),
        end=_NONE,
        film=_PLAIN,
        light=(0.75 * math.cos(azimuth), 0.75 * math.sin(azimuth), 0.70),
        drift=1 + 0.03 * surface.cloud(rng, 1, size=SIZE) + rng.normal(0, 0.05) * surface.axes(SIZE)[0] / SIZE,
        camera=set_up(rng),
    )


def damage(cloth: Cloth, kind: str, rng: Rng) -> Cloth:
    """The same cloth with one defect of a kind of `DEFECTS`."""
    return {"thread_break": _thread_break, "stain": _stain, "hole": _hole, "colour": _colour}[kind](cloth, rng)


def light_from(cloth: Cloth) -> Field:
    """Linear light (SIZE, SIZE, 3) that reaches the camera."""
    bands = [_woven(cloth, top) for top in range(0, CANVAS, _BAND)]
    warp, weft, bare = (np.concatenate(fields)[..., None] for fields in zip(*bands, strict=True))
    light = warp * (cloth.warp.dye * _DYED) + weft * (cloth.weft.dye * _RAW)
    light *= cloth.film
    light += bare * _TABLE
    for coverage, strength in ((cloth.fuzz, 0.35), (cloth.end, 1.0)):
        if coverage is not _NONE:
            lies = surface.reduced(coverage) * np.float32(strength)
            light += lies[..., None] * ((warp + weft) * _RAW - light)
    return np.asarray(light * cloth.drift[..., None])


def _woven(cloth: Cloth, top: int) -> tuple[Field, Field, Field]:
    """Light (_BAND / 2, SIZE) from warp, weft and table on a band of the canvas, which the processor's cache holds."""
    rows = slice(max(top - 2, 0), top + _BAND + 2)  # slopes need neighbours
    warp, weft = (Threads(t.number[rows], t.across[rows], t.width[rows], t.dye) for t in (cloth.warp, cloth.weft))
    fibres_down, fibres_across = cloth.down[rows], cloth.across[rows]
    over = 1 - 2 * ((warp.number + weft.number) & 1).astype(np.float32)
    down = _relief(warp, weft.across, over) + 0.25 * fibres_down
    across = _relief(weft, warp.across, -over) + 0.25 * fibres_across
    on_top = (down > across).astype(np.float32)  # the warp; products with 0 and 1 cost a tenth of a choice
    height = np.maximum(np.maximum(down, across), _FLOOR)
    there = (height > _FLOOR).astype(np.float32)
    shade = _shading(height + 5 * cloth.end[rows], cloth.light)
    bare = shade * (1 - there)
    shade *= there * (1 + 0.08 * (fibres_across + on_top * (fibres_down - fibres_across)))
    shade *= 0.15 + weft.width + on_top * (warp.width - weft.width)  # thick threads are fluffy and bright
    from_warp = shade * on_top
    own = slice((top - rows.start) // 2, (top - rows.start + _BAND) // 2)
    return surface.reduced(from_warp)[own], surface.reduced(shade - from_warp)[own], surface.reduced(bare)[own]


def _spin(rng: Rng, count: Field, swell: Field, width: float) -> Threads:
    """Threads, of uneven thickness and tone, where `count` runs by one from thread to thread."""
    number, across = _divided(count + np.float32(rng.uniform(40, 60)))
    widths = rng.normal(width, 0.045, 128).astype(np.float32)
    return Threads(number, across, swell + np.take(widths, number), _PLAIN)


def _turned(field: Field) -> Field:
    """A quarter turn that leaves rows contiguous, since sums of the two orders cost four times as much."""
    return np.ascontiguousarray(field.T)


def _divided(count: Field) -> tuple[NDArray[np.int32], Field]:
    whole = np.floor(count)
    return whole.astype(np.int32), count - whole - np.float32(0.5)


def _relief(threads: Threads, crossing: Field, over: Field) -> Field:
    """Height in canvas pixels of round, twisted threads that dive under every second one they cross."""
    out = threads.across / np.maximum(0.5 * threads.width, np.float32(1e-3))
    inside = 1 - out * out
    twist = 2.2 * crossing + 1.4 * threads.across
    twist = np.abs(twist - np.rint(twist))
    round_top = 6 * np.sqrt(np.maximum(inside, 0)) - 3.4 + 1.6 * twist
    return np.asarray(round_top + over * (3 - 12 * crossing * crossing) - np.float32(24) * (inside <= 0))


def _shading(height: Field, light: tuple[float, float, float]) -> Field:
    """Lambert light on the relief, and less sky in the gaps."""
    dx, dy = (np.clip(slope, -1.2, 1.2) for slope in surface.slopes(height))
    facing = (light[2] - light[0] * dx - light[1] * dy) / np.sqrt(1 + dx * dx + dy * dy)
    return (0.28 + 1.15 * np.maximum(facing, 0)) * (0.30 + 0.70 * surface.step(-4.5, 2.5, height))


def _fuzz(rng: Rng) -> Field:
    hairs = []
    for _ in range(rng.integers(25, 45)):
        x, y, angle = rng.uniform(-CANVAS / 2, CANVAS / 2), rng.uniform(-CANVAS / 2, CANVAS / 2), rng.uniform(0, 7)
        hairs.append(surface.curve(rng, (x, y), angle, rng.uniform(15, 60), bend=rng.normal(0, 1.5)))
    return surface.drawn(hairs, 1, size=CANVAS)


def _place(rng: Rng) -> tuple[float, float]:
    return rng.uniform(-170, 170), rng.uniform(-170, 170)


def _thread_break(cloth: Cloth, rng: Rng) -> Cloth:
    """A thread is gone over some crossings; its end may have sprung out of the cloth."""
    x, y = surface.axes(CANVAS)
    (cx, cy), half = _place(rng), rng.uniform(18, 75)
    which = "weft" if rng.random() < 0.6 else "warp"
    threads: Threads = getattr(cloth, which)
    along = x - cx if which == "weft" else y - cy
    gone = surface.step(half + 8, half - 4, np.abs(along) + 3 * cloth.down)
    gone = np.where(threads.number == threads.number[int(cy + CANVAS / 2), int(cx + CANVAS / 2)], gone, 0)
    end = cloth.end
    if rng.random() < 0.6:
        start, angle = ((cx - half, cy), 0.0) if which == "weft" else ((cx, cy - half), math.pi / 2)
        line = surface.curve(rng, start, angle + rng.normal(0, 0.5), rng.uniform(25, 80), bend=rng.normal(0, 2.0))
        end = surface.blurred(surface.drawn([line], int(rng.integers(5, 10)), size=CANVAS), 0.8)
    torn: dict[str, Any] = {which: replace(threads, width=threads.width * (1 - 0.98 * gone))}
    return replace(cloth, end=end, **torn)


def _stain(cloth: Cloth, rng: Rng) -> Cloth:
    """Oil, water or coffee: soaked along the threads, often darkest at the dried rim."""
    depth = surface.blob(rng, _place(rng), rng.uniform(35, 110), size=CANVAS, ragged=0.2, aspect=rng.uniform(1, 1.8))
    depth = depth + 0.04 * cloth.down + 0.04 * cloth.across
    soaked = surface.step(0.0, 0.10, depth) * (0.5 + 0.5 * surface.step(0.30, 0.08, depth))
    hue = ((0.55, 0.75, 1.0), (0.85, 0.9, 0.95), (0.9, 0.8, 0.6))[rng.integers(3)]
    strength = np.float32(rng.uniform(0.35, 0.85))
    return replace(cloth, film=1 - strength * surface.reduced(soaked)[..., None] * np.array(hue, np.float32))


def _hole(cloth: Cloth, rng: Rng) -> Cloth:
    """Worn through: threads end raggedly at the rim and are pushed aside around it."""
    x, y = surface.axes(CANVAS)
    cx, cy = _place(rng)
    depth = surface.blob(rng, (cx, cy), rng.uniform(10, 44), size=CANVAS, ragged=0.15, aspect=rng.uniform(1, 2.2))
    dx, dy = x - cx, y - cy
    push = 0.4 * np.exp(-2 * np.minimum(depth, 0) ** 2) / np.maximum(np.hypot(dx, dy), 1)
    sets: dict[str, Any] = {}
    for name, shift in (("warp", dx), ("weft", dy)):
        threads: Threads = getattr(cloth, name)
        number, across = _divided(threads.number + threads.across - push * shift + np.float32(0.5))
        ends = depth + rng.normal(0, 0.35, 128).astype(np.float32)[number] + 0.05 * cloth.down
        width = threads.width * surface.step(0.25, -0.05, ends)
        sets[name] = replace(threads, number=number, across=across, width=width)
    return replace(cloth, **sets)


def _colour(cloth: Cloth, rng: Rng) -> Cloth:
    """A few threads from another dye lot, or a patch where the dye has run."""
    tint = rng.choice([-1, 1]) * rng.uniform(0.4, 1.2)
    hue = np.array([0.34 * tint, -0.06 * abs(tint), -0.34 * tint], np.float32)
    (cx, cy) = _place(rng)
    if rng.random() < 0.6:
        number = cloth.weft.number
        lot = np.abs(number - number[int(cy + CANVAS / 2), int(cx + CANVAS / 2)]) <= rng.integers(0, 3)
        other = 1 + surface.reduced(lot.astype(np.float32))[..., None] * hue
        return replace(cloth, weft=replace(cloth.weft, dye=other))
    depth = surface.blob(rng, (cx, cy), rng.uniform(50, 110), size=CANVAS, ragged=0.3)
    run = 1 + surface.reduced(surface.step(-0.1, 0.5, depth))[..., None] * hue
    return replace(cloth, warp=replace(cloth.warp, dye=run), weft=replace(cloth.weft, dye=run))
