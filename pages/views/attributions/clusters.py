"""What the clusters of maps have in common: where they look, which images are in them, and what goes along."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import streamlit as st

from gad_core import figures, wording
from gad_core.attribution.associations import Association, associations
from gad_core.attribution.category import Explained
from gad_core.attribution.reduced import border, corners
from gad_core.attribution.strategies import Strategies
from gad_core.data.datasets import ImageFile, ImageSet
from gad_core.data.recordings import TABLES, Properties, recordings, recordings_beside, recordings_in
from gad_core.errors import GadError
from gad_core.workspace.rows import DatasetRow
from pages.shared import charts, downloads, frame, person, views
from pages.shared.gallery import gallery
from pages.shared.text import plain
from pages.views.attributions.maps import limit_of

_SHOWN = 5
_SIDE = (140, 140)  # pixels of which the border's and the corners' shares are counted
#: Of these a detector shall know, whatever else it uses.
_WANTED = ("label", "type")
_UPLOAD = "recordings_table"


@dataclass(frozen=True)
class Mapped:
    """Explained images, their files, and the clusters of their maps."""

    run_id: str
    images: tuple[Explained, ...]
    files: tuple[ImageFile, ...]
    strategies: Strategies


def show(mapped: Mapped, shown: ImageFile) -> None:
    """A panel a cluster: its mean map, where it looks, and the images that are most typical of it."""
    found = mapped.strategies
    for cluster in range(found.n_clusters):
        members = np.flatnonzero(found.labels == cluster).tolist()
        kinds = Counter(mapped.files[i].defect.replace("_", " ") for i in members)
        most = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common())
        title = f"Strategy {cluster + 1}" if found.n_clusters > 1 else "All maps"
        with charts.panel(title, f"{len(members)} images: {most}. {_looks([mapped.images[i] for i in members])}"):
            left, right = st.columns([1, 3], vertical_alignment="center")
            with left:
                _mean_map(mapped, cluster, members)
            with right:
                _shares([mapped.images[i] for i in members], cluster)
                _typical(mapped, cluster, members, shown)


def _mean_map(mapped: Mapped, cluster: int, members: list[int]) -> None:
    mean = mapped.strategies.maps[members].mean(axis=0)
    charts.show(
        figures.attribution_map(mean, limit=limit_of(mean), height=190),
        key=f"mean_map_{cluster}",
        alt=f"mean map of strategy {cluster + 1}",
    )
    st.caption(f"Mean map: ± {limit_of(mean):.2g} a pixel")


@dataclass(frozen=True)
class _Place:
    """A place of the images, and what share of the maps lies there; by chance, its share of the image."""

    name: str
    share: float
    chance: float
    n: int


def _places(images: Sequence[Explained]) -> list[_Place]:
    """Where maps lie, in the mean over the images for which that is known."""
    shares: dict[str, list[tuple[float | None, float | None]]] = {
        "in the mask": [(one.measures.mass, one.measures.area) for one in images],
        "on the border": [(one.border, float(border(_SIDE).mean())) for one in images],
        "in the corners": [(one.corners, float(corners(_SIDE).mean())) for one in images],
    }
    places = []
    for name, pairs in shares.items():
        known = [(share, chance) for share, chance in pairs if share is not None and chance is not None]
        if known:
            share, chance = np.mean(known, axis=0)
            places.append(_Place(name, float(share), float(chance), len(known)))
    return places


def _looks(images: Sequence[Explained]) -> str:
    """In words, the place that holds most beyond its share of the image, and what the mask has."""
    places = {place.name: place for place in _places(images)}
    most = max(places.values(), key=lambda place: place.share / place.chance, default=None)
    if most is None:
        return ""
    if most.share <= most.chance:
        return f"No more lies {' or '.join(places)} than by chance."
    told = [most] + [place for name, place in places.items() if name == "in the mask" and place is not most]
    shares = " and ".join(
        f"{wording.percent(place.share)} lies {place.name} ({wording.percent(place.chance)} of the image)"
        for place in told
    )
    return f"Of what raises the distance, {shares}."


def _shares(images: Sequence[Explained], cluster: int) -> None:
    """Those places as numbers."""
    with st.container(horizontal=True, key=f"places_{cluster}"):
        for place in _places(images):
            st.metric(
                f"{place.name[:1].upper()}{place.name[1:]}",
                wording.percent(place.share),
                f"chance {wording.percent(place.chance)}, n = {place.n}",
                **charts.QUIET,
                help="Of what raises the distance, the share that lies there, in the mean; by chance, the place's "
                "share of the image.",
            )


def _typical(mapped: Mapped, cluster: int, members: list[int], shown: ImageFile) -> None:
    """The images whose maps are most like the cluster's mean."""
    rows = mapped.strategies.maps[members].reshape(len(members), -1)
    rows = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), np.finfo(float).tiny)
    typical = [mapped.files[members[i]] for i in np.argsort(-(rows @ rows.mean(axis=0)), kind="stable")[:_SHOWN]]
    gallery(
        typical,
        key=f"strategy_{cluster}",
        caption=lambda place: typical[place].defect.replace("_", " "),
        selected=shown.digest,
        on_press=lambda file: views.explain(file.digest),
    )


def together(dataset: DatasetRow, mapped: Mapped) -> None:
    """What clusters go together with: what they should know, and how the images were recorded."""
    wanted = {
        "label": tuple("defective" if file.anomalous else "good" for file in mapped.files),
        "type": tuple(file.defect for file in mapped.files),
    }
    images, problem = ImageSet(mapped.files), ""
    recorded = dict(_recorded(mapped.run_id, images))
    try:
        recorded |= recordings_beside(images, dataset.root)
        if table := st.session_state.get(_UPLOAD):
            recorded |= recordings_in(images, table.getvalue(), name=table.name)
    except GadError as error:
        problem = frame.sentence(error)
    found = mapped.strategies
    tried = associations(found.labels, {**wanted, **recorded})
    finding = _finding(tried, recorded, found.n_clusters)
    with charts.panel("What goes along with the strategies", finding, loud=True):
        if tried:
            rows = pd.DataFrame([_row(one) for one in tried])
            st.dataframe(rows, hide_index=True, key="associations", alt=finding)
            downloads.row(f"{dataset.name} associations", key="associations", csv=lambda: _counts(tried))
        if problem:
            st.error(plain(problem), icon=":material/error:")
        with st.popover("Say how images were recorded", icon=":material/upload_file:"):
            tables = " or ".join(TABLES)
            tip = f"Such as lot, camera or shift. A file {tables} in the data set's folder is read by itself."
            st.file_uploader(
                "A table with the column file, and one for each property",
                type="csv",
                key=_UPLOAD,
                **person.changing(tip=tip),
            )


@st.cache_resource(show_spinner=False, max_entries=16)
def _recorded(run_id: str, _images: ImageSet) -> Properties:
    del run_id  # the key
    return recordings(_images)


def _finding(tried: Sequence[Association], recorded: Mapping[str, object], n_clusters: int) -> str:
    """In words: which properties of the recording go along with the clusters, and whether there was one to try."""
    if n_clusters < 2:
        return "With one strategy there is nothing that could go along with it."
    found = [one for one in tried if one.survives]
    beside = [one for one in found if one.name not in _WANTED]
    asked = [one for one in tried if one.name not in _WANTED]
    parts = [
        f"the strategies tell {one.name}s apart (Cramér's V {one.cramers_v:.2f})"
        for one in found
        if one.name in _WANTED
    ]
    if beside:
        parts.append(
            "beware: they go along with "
            + ", ".join(f"{one.name} (V {one.cramers_v:.2f}, corrected p {_p(one.corrected)})" for one in beside)
        )
    elif asked:
        parts.append(f"no property of the recording goes along with them ({len(asked)} tried)")
    elif recorded:
        parts.append("all images were recorded alike, as far as their files tell")
    text = "; ".join(parts)
    return f"{text[:1].upper()}{text[1:]}."


def _p(value: float) -> str:
    return f"{value:.1g}" if value >= 1e-3 else "< 0.001"


def _row(one: Association) -> dict[str, str | int]:
    table = [
        f"{value}: {', '.join(map(str, counts))}" for value, counts in zip(one.values, one.counts.tolist(), strict=True)
    ]
    return {
        "property": one.name,
        "Cramér's V": f"{one.cramers_v:.2f}",
        "p": _p(one.p_value),
        "corrected p": _p(one.corrected),
        "verdict": "goes along" if one.survives else "by chance",
        "images by strategy": " · ".join(table),
    }


def _counts(tried: Sequence[Association]) -> bytes:
    return downloads.csv(
        [
            {
                "property": one.name,
                "value": value,
                **{f"strategy {cluster + 1}": count for cluster, count in enumerate(counts)},
                "cramers v": one.cramers_v,
                "p": one.p_value,
                "corrected p": one.corrected,
            }
            for one in tried
            for value, counts in zip(one.values, one.counts.tolist(), strict=True)
        ]
    )
