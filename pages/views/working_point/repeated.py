"""Pictures of parts that were imaged several times: what was given, and the job that reads them."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from gad_core.data.datasets import ImageFile, ImageSet, Refusal, list_paths, look_at, read_paths
from gad_core.data.holding import scratch
from gad_core.data.images import content_digest
from gad_core.data.parts import Way, in_parts
from gad_core.decision.repeatability import Repeatability, judge_again
from gad_core.decision.verdict import Verdict
from gad_core.errors import GadError
from gad_core.features.extract import Extraction
from gad_core.gaussian.extraction import extract_for
from gad_core.workspace.roots import Roots
from gad_core.workspace.rows import DetectorRow
from pages.shared import resources, tasks

#: Where cards and errors stand.
PLACE = "repeatability"
_READ = "_repeated_pictures"  # in the session: what was read last

Uploads = Sequence[tuple[str, bytes]]


@dataclass(frozen=True)
class Given:
    """Pictures as they were given, by upload or by folder; `images` says of each which part it shows.

    Of a folder no file was opened yet, and a path stands for each digest.
    """

    images: ImageSet
    way: Way | None
    uploads: Uploads = ()
    folder: Path | None = None
    roots: Roots = field(default_factory=Roots)


@dataclass(frozen=True)
class Pictures:
    """Pictures that were read: their features (n, F), their parts (n,), and the detector that they were read for."""

    detector_id: str
    digests: tuple[str, ...]
    parts: tuple[str, ...]
    features: NDArray[np.float32]
    refused: tuple[Refusal, ...]


@dataclass(frozen=True)
class _Done:
    id: str


def uploaded(files: Uploads, way: Way | None) -> Given:
    """Uploaded pictures with their parts; raises as `in_parts` does."""
    images = ImageSet(tuple(ImageFile(Path(name), content_digest(content)) for name, content in files))
    return Given(in_parts(images, way), way, uploads=files)


def listed(folder: Path, way: Way | None) -> Given:
    """The pictures of a folder of this machine; raises `GadError` where there is none, and as `in_parts` does."""
    path = resources.store().roots.check(folder)
    if not path.is_dir():
        raise GadError(f"there is no folder {path}; check the path")
    images = ImageSet(tuple(ImageFile(one, str(one)) for one in list_paths(path)))
    return Given(in_parts(images, way), way, folder=path, roots=resources.store().roots)


def start(row: DetectorRow, given: Given) -> None:
    """Queue the reading; also for callbacks."""
    kept: dict[str, Pictures] = st.session_state.setdefault(_READ, {})
    detector, engine = resources.detector(row), resources.engine(resources.detector(row).backbone)
    extract = partial(extract_for, detector, engine=engine, cache=resources.feature_cache())
    tasks.submit("check", "Repeatability", partial(_read, kept, row.id, given, extract), place=PLACE)


def read(row: DetectorRow) -> Pictures | None:
    """What was read last for this detector."""
    kept: dict[str, Pictures] = st.session_state.get(_READ, {})
    return kept.get(row.id)


@st.cache_resource(show_spinner=False, max_entries=16, hash_funcs=resources.BY_STATE)
def study(
    row: DetectorRow,
    digests: tuple[str, ...],  # noqa: ARG001 - with the parts the key of the features
    parts: tuple[str, ...],
    _features: NDArray[np.float32],
) -> tuple[Verdict, Repeatability]:
    """The pictures judged by the detector's own threshold and compared by part; raises as `judge_again` does."""
    return judge_again(resources.detector(row), _features, parts)


def _read(kept: dict[str, Pictures], detector_id: str, given: Given, extract: Any, *, progress: Any) -> _Done:
    """Runs in the job's thread, and so without Streamlit."""
    if given.folder:
        look = given.roots.guarded(look_at)
        extraction = extract(in_parts(read_paths([given.folder], look=look), given.way), progress=progress)
    else:
        with scratch() as folder:
            extraction = extract(_on_disk(given, folder), progress=progress)
    kept[detector_id] = _pictures(detector_id, extraction)
    return _Done(detector_id)


def _on_disk(given: Given, folder: Path) -> ImageSet:
    """The uploads as files; two folders of a person's machine may have held files of one name."""
    files = []
    for place, (file, (_, content)) in enumerate(zip(given.images, given.uploads, strict=True)):
        path = folder / f"{place}{file.path.suffix}"
        path.write_bytes(content)
        files.append(replace(file, path=path))
    return ImageSet(tuple(files))


def _pictures(detector_id: str, extraction: Extraction) -> Pictures:
    images = extraction.images
    parts = tuple(file.group or file.path.name for file in images)
    return Pictures(detector_id, images.digests, parts, extraction.features, images.refused)
