"""Images that were judged on the line, taken into a data set as new normals or defects."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from gad_core.data.datasets import GOOD, Dataset, ImageFile
from gad_core.data.images import content_digest
from gad_core.data.opening import read_regular
from gad_core.errors import GadError
from gad_core.progress import Progress
from gad_core.workspace.imports import Split, extend_upload, remember, stage
from gad_core.workspace.layout import place
from gad_core.workspace.rows import DatasetRow, InspectionRow
from gad_core.workspace.store import Store


def send(
    store: Store,
    dataset_id: str,
    rows: Sequence[InspectionRow],
    *,
    split: Split = "train",
    defect: str = GOOD,
    progress: Progress | None = None,
) -> DatasetRow:
    """Add images to a data set; one that cannot be changed, a demo or a registered folder, is copied with them.

    Raises `GadError` where an image is gone or cannot be used.
    """
    row = store.datasets.get(dataset_id)
    files = [(Path(one.name).name, _bytes(one)) for one in rows]
    if row.kind == "upload":
        return extend_upload(store, row.id, files, split=split, defect=defect, progress=progress)
    with store.datasets.workshop() as workshop:
        _copy(store.read(row), workshop)
        refused, staged = stage(store, files, workshop, split=split, defect=defect, progress=progress)
        name = f"{row.name}, with parts from the line"
        made = store.datasets.add(workshop / "content", name=name, kind="upload", refused=refused)
    remember(store, made, staged)
    return made


def _copy(dataset: Dataset, workshop: Path) -> None:
    """Put the same images into `workshop`/content, where they can be changed."""
    (scratch := workshop / "scratch").mkdir()
    for split, images in (("train", dataset.train), ("test", dataset.test)):
        for file in images:
            mask = _copied(file.mask, scratch / "mask.png") if file.mask else None
            image = _copied(file.path, scratch / f"image{file.path.suffix}")
            place(workshop / "content", image, name=file.path.name, split=split, defect=_kind(file), mask=mask)


def _kind(file: ImageFile) -> str:
    return file.defect if file.anomalous else GOOD


def _copied(path: Path, to: Path) -> Path:
    return Path(shutil.copyfile(path, to))


def _bytes(row: InspectionRow) -> bytes:
    """The very image that was judged."""
    try:
        data = read_regular(row.path)
    except OSError as error:
        raise GadError(f"{row.name} is gone meanwhile ({error.strerror}); bring it back, or leave it out") from error
    if content_digest(data) != row.digest:
        raise GadError(f"{row.path.name} holds another image meanwhile than the one that was judged; leave it out")
    return data
