"""Bringing data sets in: demo categories, folders of the server, and uploads; bad files are refused one by one."""

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Literal

from gad_core.data.archives import unpack_zip
from gad_core.data.datasets import GOOD, LAYOUT, Dataset, ImageFile, Refusal, read_dataset, reads_as_good
from gad_core.data.demo import write_demo
from gad_core.data.digests import Stamp, stamp
from gad_core.data.images import decode_mask
from gad_core.data.opening import read_regular
from gad_core.errors import GadError, ImageRefused
from gad_core.progress import Progress
from gad_core.workspace.door import Incoming, admitted
from gad_core.workspace.layout import images_in, place, safe_name
from gad_core.workspace.rows import Counts, DatasetRow
from gad_core.workspace.store import Store

#: An uploaded file: its name as the browser tells it, and its bytes.
Upload = tuple[str, bytes]
Split = Literal["train", "test"]


def add_demo(store: Store, category: str, *, progress: Progress | None = None) -> DatasetRow:
    """Write a demo category into the workspace; one that is there already is used again."""
    if dataset := find_demo(store, category):
        return dataset
    with store.datasets.workshop() as workshop:
        (content,) = write_demo(workshop, categories=(category,), progress=progress)
        return store.datasets.add(content, name=category, kind="demo")


def find_demo(store: Store, category: str) -> DatasetRow | None:
    """A demo category that is in the workspace already, or none."""
    for dataset in store.datasets.all():
        if (dataset.kind, dataset.name) == ("demo", category):
            return dataset
    return None


def add_folder(store: Store, folder: Path, *, progress: Progress | None = None) -> DatasetRow:
    """Register a folder of the server by reference: a category in MVTec layout, or normal images.

    Every image is decoded once, so that what is refused is known before anything is fitted. A folder that is registered
    already is looked through again. Raises `GadError` where no image can be used, and for a folder that the store's
    roots do not hold.
    """
    store.check_open()
    root = Path(os.path.realpath(store.roots.check(folder)))
    tick = None if progress is None else partial(progress, 0, 0)
    dataset = store.roots.masked(read_dataset(root, look=store.roots.guarded(_later), tick=tick))
    refused = [*dataset.train.refused, *dataset.test.refused]
    usable: Counter[tuple[str, bool]] = Counter()
    known: dict[Path, tuple[Stamp, str]] = {}
    for image, outcome in admitted(_incoming(dataset), store.feature_cache(), progress):
        if isinstance(outcome, ImageRefused):
            refused.append(Refusal(image.label, str(outcome)))
            continue
        usable[image.split, image.defect == GOOD] += 1
        if outcome.looks:
            known[Path(image.label)] = outcome.looks, outcome.digest
    _check_any(usable.total(), refused)
    counts = Counts(usable["train", True], usable["test", True], usable["test", False])
    row = store.datasets.register(root, name=dataset.name, counts=counts, refused=tuple(refused))
    digests = store.digests(row)
    for path, (looks, digest) in known.items():
        digests.keep(path, looks, digest)
    digests.add()
    return row


def add_upload(
    store: Store,
    files: Sequence[Upload],
    *,
    name: str,
    split: Split = "train",
    defect: str = GOOD,
    progress: Progress | None = None,
) -> DatasetRow:
    """Make a data set of uploaded images and ZIP archives: all that can be used, or nothing if the work breaks off.

    Images go to `split`/`defect`; so do those of an archive, unless it holds a category in MVTec layout, which is kept.
    `003_mask.png` beside `003.png` is its mask.
    Raises `GadError` where no image can be used.
    """
    with store.datasets.workshop() as workshop:
        refused, staged = stage(store, files, workshop, split=split, defect=defect, progress=progress)
        row = store.datasets.add(workshop / "content", name=name, kind="upload", refused=refused)
    remember(store, row, staged)
    return row


def extend_upload(
    store: Store,
    dataset_id: str,
    files: Sequence[Upload],
    *,
    split: Split = "train",
    defect: str = GOOD,
    progress: Progress | None = None,
) -> DatasetRow:
    """Add uploaded images to an uploaded data set, on the terms of `add_upload`."""
    with store.datasets.workshop() as workshop:
        refused, staged = stage(store, files, workshop, split=split, defect=defect, progress=progress)
        row = store.datasets.extend(dataset_id, workshop / "content", refused=refused)
    remember(store, row, staged)
    return row


def relabel(
    store: Store, dataset_id: str, file: ImageFile, *, split: Split, defect: str, mask: bytes | None = None
) -> DatasetRow:
    """Give an image of an uploaded data set another label, and a mask, if one comes along; else it keeps its own.

    Raises `GadError` for a mask that cannot be read, an image that is gone, and data sets that are not uploads.
    """
    _check_label(split, defect)
    if mask is not None and (reason := _mask_refusal(mask)):
        raise GadError(f"the mask cannot be used: {reason}")
    try:
        image = read_regular(file.path)
        kept = read_regular(file.mask) if file.mask and mask is None else mask
    except OSError as error:
        raise GadError(f"{file.path.name} is gone meanwhile; open the data set again") from error
    with store.datasets.workshop() as workshop:
        place(workshop / "content", image, name=file.path.name, split=split, defect=defect, mask=kept)
        return store.datasets.extend(dataset_id, workshop / "content", replacing=file.path)


def stage(
    store: Store, files: Sequence[Upload], workshop: Path, *, split: Split, defect: str, progress: Progress | None
) -> tuple[tuple[Refusal, ...], dict[Stamp, str]]:
    """Put all usable images into `workshop`/content; what was refused comes back, and the digests of the others."""
    store.check_open()
    _check_label(split, defect)
    incoming: list[Incoming] = []
    refused: list[Refusal] = []
    images_only, masks = _paired(files)
    for number, (label, data) in enumerate(images_only):
        if label.lower().endswith(".zip"):
            images, bad = _unpack(label, data, workshop / str(number), split=split, defect=defect, progress=progress)
            incoming += images
            refused += bad
        else:
            incoming.append(Incoming(label, data, split, defect, masks.get(label)))
    staged: dict[Stamp, str] = {}
    placed = 0
    for image, outcome in admitted(incoming, store.feature_cache(), progress):
        if isinstance(outcome, ImageRefused):
            refused.append(Refusal(image.label, str(outcome)))
            continue
        mask = image.mask
        if mask is not None and (reason := _mask_refusal(mask)):
            refused.append(Refusal(f"{image.label} (its mask)", reason))
            mask = None
        content = workshop / "content"
        path = place(content, image.image, name=image.label, split=image.split, defect=image.defect, mask=mask)
        staged[stamp(path)] = outcome.digest
        placed += 1
    _check_any(placed, refused)
    return tuple(refused), staged


def remember(store: Store, row: DatasetRow, staged: Mapping[Stamp, str]) -> None:
    """Keep the digests of what has come in, wherever it has come to lie: a move leaves a file its stamp."""
    digests = store.digests(row)
    for path in images_in(row.root):
        looks = stamp(path)
        if looks[0] and (digest := staged.get(looks)):  # not every disk has inodes
            digests.keep(path, looks, digest, settled=True)
    digests.add()


def defect_type(text: str) -> str:
    """The type of defect that somebody has named, "defect" where nobody did; raises `GadError` for "good"."""
    named = text.strip() or "defect"
    if reads_as_good(safe_name(named)):
        raise GadError(f"{named} is no type of defect; name what is wrong with the parts, or bring them as good ones")
    return named


def _check_label(split: Split, defect: str) -> None:
    if defect != GOOD:
        defect_type(defect)
    if split == "train" and defect != GOOD:
        raise GadError(f"training images must be normal, got the defect type {defect!r}; bring them as test images")


def _paired(files: Sequence[Upload]) -> tuple[list[Upload], dict[str, bytes]]:
    """Images and archives, and by the image's name the masks: `003_mask.png` beside `003.png`, whatever its format."""
    by_stem = {Path(name).stem: name for name, _ in files}
    masks: dict[str, bytes] = {}
    images: list[Upload] = []
    for name, data in files:
        stem = Path(name).stem
        image = by_stem.get(stem.removesuffix("_mask")) if stem.endswith("_mask") else None
        if image:
            masks[image] = data
        else:
            images.append((name, data))
    return images, masks


def _unpack(
    label: str, data: bytes, into: Path, *, split: Split, defect: str, progress: Progress | None
) -> tuple[list[Incoming], list[Refusal]]:
    """The images of an archive, and what was refused, which may be the archive as a whole."""

    def named(text: str) -> str:
        return text.replace(str(into), label)

    try:
        unpack_zip(data, into, progress=_announcing(progress))
        dataset = read_dataset(into, look=_later)
    except GadError as error:
        return [], [Refusal(label, named(str(error)))]
    images = [replace(image, label=named(image.label)) for image in _incoming(dataset)]
    if not any((into / part).is_dir() for part in LAYOUT):
        images = [replace(image, split=split, defect=defect) for image in images]
    return images, [replace(bad, path=named(bad.path)) for bad in (*dataset.train.refused, *dataset.test.refused)]


def _incoming(dataset: Dataset) -> list[Incoming]:
    return [
        Incoming(str(file.path), file.path, split, file.defect, file.mask)
        for split, images in (("train", dataset.train), ("test", dataset.test))
        for file in images
    ]


def _later(_: Path) -> str:
    """List an image without a look at it: all of them are decoded and hashed together."""
    return ""


def _mask_refusal(mask: Path | bytes) -> str | None:
    try:
        decode_mask(mask)
    except ImageRefused as refusal:
        return str(refusal)
    return None


def _announcing(progress: Progress | None) -> Progress | None:
    """For what goes before the decoding: it shows how much there is to do, and can be cancelled."""
    return None if progress is None else lambda _, total: progress(0, total)


def _check_any(usable: int, refused: Sequence[Refusal]) -> None:
    if not usable:
        first = f" ({refused[0].path}: {refused[0].reason})" if refused else ""
        raise GadError(f"no image could be used out of {len(refused)} files{first}; bring PNG, JPEG, BMP, TIFF or WebP")
