"""Which strategies a detector uses over a data set: the maps of all test images, clustered."""

import numpy as np
import streamlit as st
from PIL import Image, ImageOps

from gad_core import figures, wording
from gad_core.attribution.category import Explained
from gad_core.attribution.strategies import LEAST, MOST, Strategies, divided, find_strategies
from gad_core.data.datasets import ImageFile
from gad_core.gaussian.tuning import Tuning
from gad_core.workspace.explanations import Run, find_run
from gad_core.workspace.requests import Explain
from gad_core.workspace.rows import DatasetRow, DetectorRow
from pages.shared import charts, downloads, person, pictures, resources, tasks, views
from pages.shared.gallery import small
from pages.views.attributions import clusters
from pages.views.attributions.category import key_of

_TITLE = "Strategies"
_PLACE = "strategies"
_TILES = 240  # images that are shown as thumbnails; more are markers
_TILE, _FRAME = 44, 3  # pixels


def show(
    detector: DetectorRow,
    dataset: DatasetRow,
    test: resources.TestImages,
    shown: ImageFile,
    tuning: Tuning,
    n_references: int,
) -> None:
    """A map of the images, and what each cluster of them has in common."""
    run = find_run(resources.store().explanations, key_of(test, tuning, n_references))
    if len(test.images) < LEAST:
        with charts.panel(_TITLE, f"Clusters need at least {LEAST} test images; there are {len(test.images)}."):
            return
    if run is None or not run.covers(test.images):
        _offer(detector, dataset, test, tuning, n_references, run)
        return
    chosen, aligned = _controls()
    with st.spinner("Clustering the maps …"):
        found = _found(run.key.id, run.category.images, aligned=aligned)
        if chosen:
            found = _divided(run.key.id, found, aligned=aligned, n_clusters=chosen)
    by_digest = {file.digest: file for file in test.images}
    files = tuple(by_digest[image.digest] for image in run.category.images)
    mapped = clusters.Mapped(run.key.id, run.category.images, files, found)
    _map(dataset, mapped, shown)
    clusters.show(mapped, shown)
    clusters.together(dataset, mapped)


def _offer(
    detector: DetectorRow,
    dataset: DatasetRow,
    test: resources.TestImages,
    tuning: Tuning,
    n_references: int,
    run: Run | None,
) -> None:
    """The way to the maps of all images."""
    known = sum(image.cells is not None for image in run.category.images) if run else 0
    already = f" {known} of them are explained already." if known else ""
    with charts.panel(
        _TITLE,
        f"The maps of all {len(test.images)} test images at {wording.tuning(tuning)}, clustered: does the detector "
        f"look at one thing, or at several? No label is used.{already}",
    ):
        off = person.changing(disabled=any(job.kind == "explain" for job in tasks.own()))
        if st.button(
            f"Explain all {len(test.images)} images", key="explain_every", icon=":material/play_arrow:", **off
        ):
            asked = Explain(dataset.id, detector.id, tuning, n_references, every=True)
            tasks.ask(f"Explain {dataset.name}", asked, place=_PLACE)
            st.rerun()
        tasks.cards(_PLACE)
        tasks.show_failure(_PLACE)


def _controls() -> tuple[int | None, bool]:
    """The number of clusters, None for the suggested one, and whether maps are turned alike."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium", key="strategy_controls"):
        count = st.selectbox(
            "Clusters",
            [None, *range(1, MOST + 1)],
            format_func=lambda n: "as the eigengap says" if n is None else str(n),
            key="n_strategies",
            width=220,
            persist_state="session",
            help="By default as many as the widest relative gap between the eigenvalues of the neighbours' graph says, "
            "and one where that gap is no wider than by chance.",
        )
        aligned = st.toggle(
            "Turn maps alike",
            value=True,
            key="strategies_aligned",
            persist_state="session",
            help="Each map is turned and mirrored so that most of it lies in the upper left: what is seen in any "
            "corner is then one strategy. Off: places count as they are.",
        )
    return count, bool(aligned)


@st.cache_resource(show_spinner=False, max_entries=16)
def _found(run_id: str, _images: tuple[Explained, ...], *, aligned: bool) -> Strategies:
    del run_id  # the key
    return find_strategies(np.stack([image.cells for image in _images if image.cells is not None]), aligned=aligned)


@st.cache_resource(show_spinner=False, max_entries=16)
def _divided(run_id: str, _found: Strategies, *, aligned: bool, n_clusters: int) -> Strategies:
    del run_id, aligned  # the key
    return divided(_found, n_clusters)


def _map(dataset: DatasetRow, mapped: clusters.Mapped, shown: ImageFile) -> None:
    """The images where their maps put them, and the eigenvalues beside."""
    found = mapped.strategies
    at = [image.digest for image in mapped.images].index(shown.digest)
    tiles = []
    if len(mapped.files) <= _TILES:
        colours = map(figures.cluster_colour, found.labels.tolist())
        tiles = [_tile(file, colour) for file, colour in zip(mapped.files, colours, strict=True)]
    words = [
        f"{file.path.name}\n{file.defect.replace('_', ' ')} · strategy {cluster + 1} · {wording.number(image.score)}"
        for file, cluster, image in zip(mapped.files, found.labels.tolist(), mapped.images, strict=True)
    ]
    left, right = st.columns([3, 1])
    with left, charts.panel(_TITLE, sentence(found), loud=True):
        charts.pick(
            figures.strategy_map(found.places, found.labels, words, tiles=tiles, chosen=at),
            key="strategy_map",
            alt=sentence(found),
            on_pick=lambda point: views.explain(mapped.files[int(charts.custom(point)[0])].digest),
        )
        st.caption("Images near each other have maps of like shape. A frame's colour is its strategy; click opens one.")
        downloads.row(f"{dataset.name} strategies", key="strategies", csv=lambda: _table(mapped))
    with (
        right,
        charts.panel(
            "Eigenvalues",
            f"The widest relative gap is {found.gap:.1f}; chance gives up to {found.chance_gap:.1f}.",
        ),
    ):
        charts.show(
            figures.eigengaps(found.eigenvalues, found.n_clusters),
            key="eigengaps",
            alt=f"{len(found.eigenvalues)} smallest eigenvalues",
        )


def sentence(found: Strategies) -> str:
    """What was found, in words."""
    n = len(found.labels)
    p = f"p = {found.p_value:.2f}"
    if not found.structured:
        start = f"No structure beyond chance among {n} maps ({p}): the detector looks at one thing, or at nothing"
        forced = found.n_clusters > 1
        return f"{start}; the {found.n_clusters} clusters below are asked for." if forced else f"{start} in particular."
    counts = np.bincount(found.labels).tolist()
    parts = " and ".join([", ".join(map(str, counts[:-1])), str(counts[-1])] if len(counts) > 1 else map(str, counts))
    stays = (
        "" if found.stability is None else f"; of 80 % of the maps the same come, adjusted Rand {found.stability:.2f}"
    )
    many = "One strategy" if found.n_clusters == 1 else f"{found.n_clusters} strategies"
    chosen = "" if found.n_clusters == found.suggested else f" (suggested: {found.suggested})"
    return f"{many}{chosen} among {n} maps: {parts} images; more than chance ({p}){stays}."


@st.cache_resource(show_spinner=False, max_entries=2000, hash_funcs=resources.BY_STATE)
def _tile(file: ImageFile, colour: str) -> str:
    """A thumbnail in a frame."""
    picture = ImageOps.expand(Image.fromarray(small(file)).resize((_TILE, _TILE)), _FRAME, colour)
    return pictures.url(np.asarray(picture))


def _table(mapped: clusters.Mapped) -> bytes:
    found = mapped.strategies
    return downloads.csv(
        [
            {
                "file": file.path.name,
                "type": file.defect,
                "strategy": cluster + 1,
                "x": x,
                "y": y,
                "score": image.score,
                "in the mask": image.measures.mass,
                "on the border": image.border,
                "in the corners": image.corners,
            }
            for file, image, cluster, (x, y) in zip(
                mapped.files, mapped.images, found.labels.tolist(), found.places.tolist(), strict=True
            )
        ]
    )
