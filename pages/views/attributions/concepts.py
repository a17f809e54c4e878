"""The kinds of variation that a distance comes from: bands of a level's spectrum, each with its map and its ends."""

from collections.abc import Callable
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from gad_core import figures, wording
from gad_core.attribution.band_maps import BandAttribution
from gad_core.attribution.band_responses import BandResponses, band_responses, shares
from gad_core.data.datasets import ImageFile
from gad_core.data.images import encode_png
from gad_core.errors import GadError
from gad_core.gaussian.bands import Band, LevelBands
from gad_core.gaussian.tuning import Tuning
from gad_core.workspace.rows import DatasetRow
from pages.shared import charts, downloads, explaining, frame, resources
from pages.shared.text import plain
from pages.views.attributions import band_meaning
from pages.views.attributions.maps import Array, Drawing, limit_of

_TITLE = "Components as concepts"
_LEVEL, _BAND = "concept_level", "concept_band"


def concepts(
    test: resources.TestImages,
    dataset: DatasetRow,
    file: ImageFile,
    tuning: Tuning,
    n_references: int,
    drawing: Drawing,
) -> None:
    """The bands of a level that is chosen here: what they have of this image's distance, and what each means."""
    level = _level(test, tuning)
    about = f"Level {level} of the whole image, {wording.reduction(tuning.reduction)}."
    if tuning.pool:
        about += " The score pools regions, each with components of its own; these are those of the whole image."
    with charts.cornered(_TITLE, about) as corner:
        _switch_level(corner, test, level)
        try:
            bands = LevelBands.of(test.detector.gaussians[level - 1], level, tuning.reduction, distance=tuning.distance)
        except GadError as error:
            st.info(plain(frame.sentence(error)), icon=":material/info:")
            return
        found = _found(test, bands)
        part, place = test.detector.slices[level - 1], test.images.files.index(file)
        own, usual = shares(found.squares)[place], shares(found.left_out).mean(axis=0)
        names = [name(band) for band in bands.bands]
        most = int(np.argmax(own - usual))
        chosen = _chosen(level, names, most)
        finding = (
            f"Most above usual: {names[most]}, with {wording.percent(float(own[most]))} of this image's squared "
            f"distance where left-out good parts have {wording.percent(float(usual[most]))}."
        )
        st.caption(plain(finding))
        figure = figures.band_shares(
            [short(band) for band in bands.bands],
            own,
            usual,
            colour=figures.DEFECT if file.anomalous else figures.NORMAL,
            chosen=chosen,
        )
        charts.show(figure, key="bands", alt=finding)
        made = _maps(test, file, tuning, level, n_references, drawing)
        st.segmented_control(
            "Band",
            names,
            default=names[most],
            required=True,
            key=_key(level, names),
            label_visibility="collapsed",
        )
        middle = float(np.sqrt(np.median(found.left_out[:, chosen])))
        band_meaning.ends(test, dataset, bands, chosen, test.features[place, part], middle)
        if found.responses:
            band_meaning.responses(found.responses, chosen)
        _files(test, file, bands.bands, own, usual, made, level, chosen, drawing)


@dataclass(frozen=True)
class _Found:
    """A level's bands on test images and left-out good parts."""

    squares: Array  # (m, B) squared distances of the test images by band
    left_out: Array  # (n, B) of the good parts
    responses: BandResponses | None  # without images of both kinds


#: A level's bands are those of the detector; what is kept must not hold them, and with them its Gaussian.
_BY_BANDS = resources.BY_STATE | {LevelBands: attrgetter("bands", "reduction", "distance")}


@st.cache_resource(show_spinner=False, max_entries=16, hash_funcs=_BY_BANDS)
def _found(test: resources.TestImages, bands: LevelBands) -> _Found:
    """What does not depend on the image that is looked at."""
    squares = bands.squares(test.features[:, test.detector.slices[bands.bands[0].level - 1]])
    defects = [file.defect if file.anomalous else None for file in test.images]
    responses = band_responses(squares, defects) if test.has_both_kinds else None
    return _Found(squares, bands.left_out_squares(test.detector), responses)


def name(band: Band) -> str:
    """A band in words."""
    if band.null:
        return "outside the good parts' span"
    return f"components {short(band)}" if band.n_components > 1 else f"component {band.first}"


def short(band: Band) -> str:
    """Its first and last component."""
    return "outside" if band.null else f"{band.first}-{band.last}" if band.n_components > 1 else str(band.first)


def _level(test: resources.TestImages, tuning: Tuning) -> int:
    """The level that is picked in the panel, else the last one that is summed."""
    picked = st.session_state.get(_LEVEL)
    return picked if isinstance(picked, int) and picked <= test.detector.n_levels else tuning.levels[-1]


def _switch_level(corner: DeltaGenerator, test: resources.TestImages, level: int) -> None:
    corner.selectbox(
        "Level",
        list(range(1, test.detector.n_levels + 1)),
        index=level - 1,
        format_func=lambda number: f"level {number}",
        key=_LEVEL,
        label_visibility="collapsed",
        width=130,
        persist_state="session",
    )


def _key(level: int, names: list[str]) -> str:
    return f"{_BAND}_{level}_{'_'.join(names)}"


def _chosen(level: int, names: list[str], most: int) -> int:
    """The band that is looked at: the one that is picked, else the one that stands out most."""
    picked = st.session_state.get(_key(level, names))
    return names.index(picked) if picked in names else most


def _maps(
    test: resources.TestImages, file: ImageFile, tuning: Tuning, level: int, n_references: int, drawing: Drawing
) -> BandAttribution | None:
    """A map a band, once somebody has asked for them."""
    made, slot = explaining.known_bands(test, file, tuning, level, n_references), st.empty()
    if made is None:
        about = "A map for each band; together they are the map of the level. It takes about as long as a map a level."
        if not slot.button("Explain the bands", key="explain_bands", icon=":material/play_arrow:", help=about):
            return None
        with slot, st.spinner(f"Explaining the bands of level {level} …"):
            made = explaining.bands(test, file, tuning, level, n_references)
        slot.empty()
    with st.grid(len(made.bands), min_column_width=130):
        for place, (band, values, total) in enumerate(zip(made.bands, made.by_band, made.sums, strict=True)):
            smooth = drawing.smooth(values)
            limit = limit_of(smooth)
            with st.container(gap="xxsmall"):
                st.markdown(plain(f"{short(band)} · {wording.number(float(total))}"))
                figure = figures.attribution_map(smooth, limit=limit, height=150)
                alt = f"{name(band)}: the map adds up to {wording.number(float(total))} distance"
                charts.show(figure, key=f"band_map_{place}", alt=alt)
                st.markdown(f":gray[± {limit:.2g}]", text_alignment="center")
    st.caption(
        f"Each map adds up to what its band has of the distance, {wording.number(made.score)}, above that of the "
        f"references, {wording.number(made.reference_score)}, within {made.gap:.1e} of it; together they are the map "
        f"of level {level} of the whole image."
    )
    return made


def _files(
    test: resources.TestImages,
    file: ImageFile,
    bands: tuple[Band, ...],
    own: Array,
    usual: Array,
    made: BandAttribution | None,
    level: int,
    chosen: int,
    drawing: Drawing,
) -> None:
    """The bars as a table; with maps, the chosen band's over the image."""
    makers: dict[str, Callable[[], str | bytes]] = {"csv": lambda: _table(bands, own, usual, made)}
    if made is not None:
        values = drawing.smooth(made.by_band[chosen])
        image = resources.pixels(test.detector.backbone, file)
        look: dict[str, Any] = {"limit": limit_of(values), "opacity": drawing.opacity}
        makers["png"] = lambda: encode_png(figures.overlay(image, values, **look))
        makers["svg"] = lambda: figures.map_svg(values, image, title=f"{file.path.name}: {name(bands[chosen])}", **look)
    downloads.row(f"{file.path.stem}-bands-{level}-{short(bands[chosen])}", key="download_bands", **makers)


def _table(bands: tuple[Band, ...], own: Array, usual: Array, made: BandAttribution | None) -> bytes:
    """The bars as CSV; with maps, what each adds up to."""
    return downloads.csv(
        [
            {
                "first": band.first,
                "last": band.last,
                "variance": band.variance,
                "share": own[place],
                "normal_share": usual[place],
                "map_sum": None if made is None else made.sums[place],
            }
            for place, band in enumerate(bands)
        ]
    )
