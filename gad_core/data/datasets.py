"""Folders of images to sets of checked files with labels, masks and groups; the pixels stay on disk."""

import csv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gad_core.data.images import IMAGE_SUFFIXES, ImageRefused, content_digest, image_size
from gad_core.errors import GadError, Progress

GOOD = "good"
#: The folders of a category in MVTec layout (Bergmann et al., CVPR 2019).
LAYOUT = ("train", "test", "ground_truth")


@dataclass(frozen=True)
class ImageFile:
    """One image on disk: SHA-256 of its bytes, its defect type ("good" is normal), its mask and its group."""

    path: Path
    digest: str
    defect: str = GOOD
    mask: Path | None = None
    group: str | None = None

    @property
    def anomalous(self) -> bool:
        """Whether the image shows a defect."""
        return self.defect != GOOD


@dataclass(frozen=True)
class Refusal:
    """A file that was not read, and why."""

    path: str
    reason: str


@dataclass(frozen=True)
class ImageSet:
    """n images in a fixed order, and the files that were refused on the way."""

    files: tuple[ImageFile, ...]
    refused: tuple[Refusal, ...] = ()

    def __len__(self) -> int:
        return len(self.files)

    def __iter__(self) -> Iterator[ImageFile]:
        return iter(self.files)

    @property
    def labels(self) -> NDArray[np.bool_]:
        """(n,), True where the image is anomalous."""
        return np.array([file.anomalous for file in self.files], bool)

    @property
    def defects(self) -> tuple[str, ...]:
        """Defect type of each image."""
        return tuple(file.defect for file in self.files)

    @property
    def digests(self) -> tuple[str, ...]:
        """Content digest of each image."""
        return tuple(file.digest for file in self.files)

    @property
    def groups(self) -> tuple[str | None, ...] | None:
        """Group of each image (None: it stands alone), or None where no image has one."""
        groups = tuple(file.group for file in self.files)
        return groups if any(group is not None for group in groups) else None

    def where(self, chosen: ArrayLike) -> "ImageSet":
        """The images at which `chosen` (n,) is true, without the refusals."""
        return ImageSet(tuple(file for file, keep in zip(self.files, np.asarray(chosen), strict=True) if keep))


@dataclass(frozen=True)
class Dataset:
    """Normal training images, and labelled test images (there may be none)."""

    name: str
    root: Path
    train: ImageSet
    test: ImageSet


@contextmanager
def _reading() -> Iterator[None]:
    """Every way in which a folder or a file may not be read, as an error of the user."""
    try:
        yield
    except FileNotFoundError as error:
        raise GadError(f"there is no {error.filename}; check the path") from error
    except NotADirectoryError as error:
        raise GadError(f"{error.filename} is a file; give the folder that holds the images") from error
    except OSError as error:
        where, why = error.filename, error.strerror
        raise GadError(f"{where} cannot be read ({why}); allow reading it or copy the images elsewhere") from error


@_reading()
def read_dataset(root: Path, *, need_test: bool = False, progress: Progress | None = None) -> Dataset:
    """A category in MVTec layout, or a plain folder of normal images to train on.

    Files are hashed and their headers checked; pixels are not decoded. Raises `GadError` where there are no training
    images, where `root` holds several categories, or where test images are needed and there are none.
    """
    if _has_layout(root):
        dataset = read_mvtec(root, progress=progress)
    else:
        dataset = Dataset(root.resolve().name, root, read_folder(root, progress=progress), ImageSet(()))
    if need_test and not len(dataset.test):
        raise GadError(f"{root} has no test images to read; put some into test/{GOOD} and test/<type of defect>")
    return dataset


@_reading()
def read_mvtec(root: Path, *, progress: Progress | None = None) -> Dataset:
    """The category at `root`: train/good, test/<type>, and ground_truth/<type>/<stem>_mask.png where there is one.

    Only test/good is normal in test/. Raises `GadError` where train/good holds no images.
    """
    good = root / "train" / GOOD
    train = [_Found(path) for path in _image_paths(good)] if _has_layout(root) and good.is_dir() else []
    if not train:
        raise GadError(f"there are no training images in {good}; put the normal images there")
    test = list(_find_test(root)) if (root / "test").is_dir() else []
    checked = _check(train + test, progress)
    return Dataset(root.resolve().name, root, _image_set(checked[: len(train)]), _image_set(checked[len(train) :]))


@_reading()
def read_folder(root: Path, *, progress: Progress | None = None) -> ImageSet:
    """All images of a folder and its sub-folders as normal ones; hidden and other files are passed over.

    Raises `GadError` where there is no image, or where the folder holds categories rather than normal images only.
    """
    if _has_layout(root):
        raise GadError(f"{root} is a whole category; give a folder of normal images only, such as train/{GOOD} in it")
    if categories := sorted(child.name for child in root.iterdir() if (child / "train" / GOOD).is_dir()):
        raise GadError(f"{root} holds categories; choose one of them: {', '.join(categories)}")
    found = [_Found(path) for path in _image_paths(root)]
    if not found:
        raise GadError(f"there are no images in {root}; give a folder with PNG, JPEG, BMP, TIFF or WebP files")
    return _image_set(_check(found, progress))


@_reading()
def read_paths(paths: Sequence[Path]) -> ImageSet:
    """Images given one by one and by the folder, in that order, whatever their labels; folders as in `read_folder`."""
    found = [_Found(path) for given in paths for path in (_image_paths(given) if given.is_dir() else [given])]
    if not found:
        raise GadError(f"there are no images in {', '.join(map(str, paths))}; give images, or folders that hold some")
    return _image_set(_check(found, None))


@_reading()
def list_paths(source: Path) -> tuple[Path, ...]:
    """Paths of normal images, no file opened: of a category's train/good, of a folder, or the lines of a text file.

    Relative lines are meant from the text file's folder. Raises `GadError` where there are none.
    """
    if source.is_file():
        lines = source.read_text(encoding="utf-8").splitlines()
        paths = tuple(source.parent / line.strip() for line in lines if line.strip())
    else:
        paths = tuple(_image_paths(source / "train" / GOOD if _has_layout(source) else source))
    if not paths:
        raise GadError(f"{source} names no images; give a folder with some, or a text file with a path on every line")
    return paths


@_reading()
def read_groups(table: Path, images: ImageSet) -> ImageSet:
    """The same images with their groups from a CSV file that has the columns file and group.

    `file` is as much of the end of a path as tells the images apart ("003.png", "lot7/003.png"). Every image needs
    a line; an empty group says that it stands alone. Lines about other files are passed over. Raises `GadError`.
    """
    groups = _parse_groups(table)
    taken: dict[PurePosixPath, Path] = {}
    grouped = []
    for file in images:
        parts = file.path.absolute().parts
        ends = (PurePosixPath(*parts[i:]) for i in range(len(parts)))
        name = next((end for end in ends if end in groups), None)
        if name is None:
            raise GadError(f"{table} has no line for {file.path}; add one (with an empty group if it stands alone)")
        if name in taken:
            raise GadError(f"{name} in {table} means both {taken[name]} and {file.path}; give more of their paths")
        taken[name] = file.path
        grouped.append(replace(file, group=groups[name]))
    return replace(images, files=tuple(grouped))


def folder_groups(images: ImageSet) -> ImageSet:
    """The same images, those of one folder in one group: a lot, a session or a camera with a folder of its own."""
    return replace(images, files=tuple(replace(file, group=str(file.path.parent)) for file in images))


def k_folds(n: int, k: int, *, groups: Sequence[str | None] | None = None, seed: int = 0) -> NDArray[np.intp]:
    """Random fold ids (n,) in 0..k-1, in sizes as equal as the groups allow; no group spans two folds.

    Images whose group is None stand alone. Raises `GadError` unless 2 <= k <= the number of groups.
    """
    members = _members(n, groups)
    if not 2 <= k <= len(members):
        raise GadError(f"needed 2 to {len(members)} folds (the number of groups), got {k}; change k or add groups")
    shuffled = [members[i] for i in np.random.default_rng(seed).permutation(len(members))]
    folds, sizes = np.empty(n, np.intp), np.zeros(k, np.intp)
    for group in sorted(shuffled, key=len, reverse=True):  # the largest first, each into the emptiest fold
        fold = sizes.argmin()
        folds[group] = fold
        sizes[fold] += len(group)
    return folds


def default_folds(n: int, *, groups: Sequence[str | None] | None = None) -> int:
    """Folds for n images: 20 up to 1,000, 10 up to 5,000, then 5; never more than there are groups.

    Where n < D the Gaussian of a few folds is worse than the full one, which would make thresholds too timid.
    """
    return min(20 if n <= 1000 else 10 if n <= 5000 else 5, len(_members(n, groups)))


class _Found(NamedTuple):
    path: Path
    defect: str | None = GOOD  # None directly in test/, where nothing tells the label
    mask: Path | None = None


def _has_layout(root: Path) -> bool:
    return any(child.name in LAYOUT and child.is_dir() for child in root.iterdir())


def is_image(path: Path) -> bool:
    """Whether a path is named like an image."""
    return path.suffix.lower() in IMAGE_SUFFIXES


def _image_paths(folder: Path) -> Iterator[Path]:
    """Visible image files at any depth, in the same order everywhere."""
    for child in sorted(folder.iterdir()):
        if child.name.startswith("."):
            continue
        if child.is_dir():
            if not folder.resolve().is_relative_to(child.resolve()):  # a link back up would never end
                yield from _image_paths(child)
        elif is_image(child):
            yield child


def _find_test(root: Path) -> Iterator[_Found]:
    for path in _image_paths(root / "test"):
        inner = path.relative_to(root / "test")
        defect = inner.parts[0] if len(inner.parts) > 1 else None
        truth = root / "ground_truth" / inner.with_suffix(".png")
        masks = (truth.with_stem(f"{truth.stem}_mask"), truth)
        yield _Found(path, defect, next((mask for mask in masks if defect != GOOD and mask.is_file()), None))


def _check(found: Sequence[_Found], progress: Progress | None) -> list[ImageFile | Refusal]:
    checked: list[ImageFile | Refusal] = []
    for path, defect, mask in found:
        try:
            if defect is None:
                raise ImageRefused(f"it lies directly in test/; move it to test/{GOOD} or test/<type of defect>")
            image_size(path)
            checked.append(ImageFile(path, content_digest(path), defect, mask))
        except ImageRefused as error:
            checked.append(Refusal(str(path), str(error)))
        if progress is not None:
            progress(len(checked), len(found))
    return checked


def _image_set(checked: Sequence[ImageFile | Refusal]) -> ImageSet:
    files = tuple(item for item in checked if isinstance(item, ImageFile))
    return ImageSet(files, tuple(item for item in checked if isinstance(item, Refusal)))


def _parse_groups(table: Path) -> dict[PurePosixPath, str | None]:
    try:
        lines = table.read_text("utf-8-sig").splitlines() or [""]
    except UnicodeDecodeError as error:
        raise GadError(f"{table} is no UTF-8 text; save it as CSV in UTF-8") from error
    rows = csv.DictReader(lines, delimiter=max(",;\t", key=lines[0].count))  # spreadsheets write all three
    if not {"file", "group"} <= set(rows.fieldnames or ()):
        raise GadError(f"{table} needs the columns file and group, got {lines[0]!r}; add them to its first line")
    groups: dict[PurePosixPath, str | None] = {}
    for row in rows:
        name, group = PurePosixPath((row["file"] or "").replace("\\", "/")), row["group"] or None
        if groups.setdefault(name, group) != group:
            raise GadError(f"{table} puts {name} into two groups, {groups[name]} and {group}; keep one of the lines")
    return groups


def _members(n: int, groups: Sequence[str | None] | None) -> list[list[int]]:
    """The images of each group; an image without one is a group of its own."""
    members: dict[int | str, list[int]] = {}
    for i, group in zip(range(n), groups or [None] * n, strict=True):
        members.setdefault(i if group is None else group, []).append(i)
    return list(members.values())
