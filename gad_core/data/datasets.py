"""Folders of images to sets of checked files with labels, masks and groups; the pixels stay on disk."""

import os
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gad_core.data.images import content_digest, image_size
from gad_core.data.opening import NotRegular
from gad_core.data.walking import UNPRINTABLE, Tick, image_paths, printable
from gad_core.errors import GadError, ImageRefused
from gad_core.progress import Progress

GOOD = "good"
#: Gives the digest of an image, or raises `ImageRefused` for one that cannot be read.
Look = Callable[[Path], str]
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
    """Images in a fixed order, and the files that were refused on the way; pixels stay on disk.

    Parameters
    ----------
    files : tuple of ImageFile
        Each with path, digest (SHA-256 of its bytes), defect ("good" is normal), mask and group.
    refused : tuple of Refusal
        Each with path and reason.

    Examples
    --------
    >>> import gad_core as gad
    >>> images = gad.read_dataset("parts").test
    >>> [file.path.name for file in images.where(images.labels)][:2]
    ['000.png', '001.png']
    """

    files: tuple[ImageFile, ...]
    refused: tuple[Refusal, ...] = ()

    def __len__(self) -> int:
        """Count the images."""
        return len(self.files)

    def __iter__(self) -> Iterator[ImageFile]:
        """Go through the files in their order."""
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
        """Take the images at which `chosen` (n,) is true, without the refusals."""
        return ImageSet(tuple(file for file, keep in zip(self.files, np.asarray(chosen), strict=True) if keep))


@dataclass(frozen=True)
class Dataset:
    """Normal training images, and labelled test images (there may be none).

    Parameters
    ----------
    name : str
        Name of the folder.
    root : Path
        The folder.
    train : ImageSet
        Normal images to fit.
    test : ImageSet
        Images of both kinds to evaluate on.

    Examples
    --------
    >>> import gad_core as gad
    >>> data = gad.read_dataset("parts")
    >>> data.name, sorted(set(data.test.defects))
    ('parts', ['blot', 'good'])
    """

    name: str
    root: Path
    train: ImageSet
    test: ImageSet


@contextmanager
def reading() -> Iterator[None]:
    """Every way in which a folder or a file may not be read, as an error of the user."""
    try:
        yield
    except FileNotFoundError as error:
        raise GadError(f"there is no {error.filename}; check the path") from error
    except NotADirectoryError as error:
        raise GadError(f"{error.filename} is a file; give the folder that holds the images") from error
    except NotRegular as error:
        raise GadError(f"{error.filename} cannot be read: {error.strerror}; give a file or a folder") from error
    except ValueError as error:  # a NUL, or a character that the system cannot write
        raise GadError(f"there can be no file or folder of this name ({error}); check the path") from error
    except OSError as error:
        where, why = error.filename, error.strerror
        raise GadError(f"{where} cannot be read ({why}); allow reading it or copy the images elsewhere") from error


def look_at(path: Path) -> str:
    """Check an image's header and hash the file; pixels are not decoded."""
    image_size(path)
    return content_digest(path)


@reading()
def read_dataset(
    root: Path,
    *,
    need_test: bool = False,
    look: Look = look_at,
    progress: Progress | None = None,
    tick: Tick | None = None,
) -> Dataset:
    """Read a category in MVTec layout, or a plain folder of normal images to train on.

    `look` opens every file; `tick` is called at every entry before that, and may raise to stop. Raises `GadError` where
    there are no training images, where `root` holds several categories, or where test images are needed and there are
    none.
    """
    if _has_layout(root):
        dataset = read_mvtec(root, look=look, progress=progress, tick=tick)
    else:
        train = read_folder(root, look=look, progress=progress, tick=tick)
        dataset = Dataset(_name(root), root, train, ImageSet(()))
    if need_test and not len(dataset.test):
        raise GadError(f"{root} has no test images to read; put some into test/{GOOD} and test/<type of defect>")
    return dataset


@reading()
def read_mvtec(
    root: Path, *, look: Look = look_at, progress: Progress | None = None, tick: Tick | None = None
) -> Dataset:
    """Read the category at `root`: train/good, test/<type>, and ground_truth/<type>/<stem>_mask.png where there is one.

    Only test/good is normal in test/. Raises `GadError` where train/good holds no images.
    """
    good = root / "train" / GOOD
    train = [_Listed(path) for path in image_paths(good, tick=tick)] if _has_layout(root) and good.is_dir() else []
    if not train:
        raise GadError(f"there are no training images in {good}; put the normal images there")
    test = list(_find_test(root, tick)) if (root / "test").is_dir() else []
    checked = _check(train + test, look, progress)
    return Dataset(_name(root), root, _image_set(checked[: len(train)]), _image_set(checked[len(train) :]))


@reading()
def read_folder(
    root: Path, *, look: Look = look_at, progress: Progress | None = None, tick: Tick | None = None
) -> ImageSet:
    """All images of a folder and its sub-folders as normal ones; hidden and other files are passed over.

    Raises `GadError` where there is no image, or where the folder holds categories rather than normal images only.
    """
    if _has_layout(root):
        raise GadError(f"{root} is a whole category; give a folder of normal images only, such as train/{GOOD} in it")
    if categories := sorted(child.name for child in root.iterdir() if (child / "train" / GOOD).is_dir()):
        raise GadError(f"{root} holds categories; choose one of them: {', '.join(categories)}")
    listed = [_Listed(path) for path in image_paths(root, tick=tick)]
    if not listed:
        raise GadError(f"there are no images in {root}; give a folder with PNG, JPEG, BMP, TIFF or WebP files")
    return _image_set(_check(listed, look, progress))


@reading()
def read_paths(paths: Sequence[Path], *, look: Look = look_at) -> ImageSet:
    """Images given one by one and by the folder, in that order, whatever their labels; folders as in `read_folder`."""
    listed = [_Listed(path) for given in paths for path in (image_paths(given) if given.is_dir() else [given])]
    if not listed:
        raise GadError(f"there are no images in {', '.join(map(str, paths))}; give images, or folders that hold some")
    return _image_set(_check(listed, look, None))


@reading()
def list_paths(source: Path) -> tuple[Path, ...]:
    """Paths of normal images, no file opened: of a category's train/good, of a folder, or the lines of a text file.

    Relative lines are meant from the text file's folder. Raises `GadError` where there are none.
    """
    if source.is_file():
        lines = source.read_text(encoding="utf-8").splitlines()
        paths = tuple(source.parent / line.strip() for line in lines if line.strip())
    else:
        paths = tuple(image_paths(source / "train" / GOOD if _has_layout(source) else source))
    if not paths:
        raise GadError(f"{source} names no images; give a folder with some, or a text file with a path on every line")
    return paths


def reads_as_good(defect: str) -> bool:
    """Whether somebody, or a disk that ignores case, takes this name of a type of defect for that of good parts."""
    return unicodedata.normalize("NFKC", defect).strip(" .").casefold() == GOOD


class _Listed(NamedTuple):
    path: Path
    defect: str | None = GOOD  # None directly in test/, where nothing tells the label
    mask: Path | None = None


def _has_layout(root: Path) -> bool:
    return any(child.name in LAYOUT and child.is_dir() for child in root.iterdir())


def _name(root: Path) -> str:
    return Path(os.path.realpath(root)).name


@reading()
def list_images(folder: Path, *, tick: Tick | None = None) -> tuple[Path, ...]:
    """Visible image files of a folder at any depth, no file opened; there may be none."""
    return tuple(image_paths(folder, tick=tick))


def _find_test(root: Path, tick: Tick | None) -> Iterator[_Listed]:
    for path in image_paths(root / "test", tick=tick):
        inner = path.relative_to(root / "test")
        defect = inner.parts[0] if len(inner.parts) > 1 else None
        if defect == GOOD:  # has no mask
            yield _Listed(path)
            continue
        truth = root / "ground_truth" / inner.with_suffix(".png")
        masks = (truth.with_stem(f"{truth.stem}_mask"), truth)
        yield _Listed(path, defect, next((mask for mask in masks if mask.is_file()), None))


def _check(listed: Sequence[_Listed], look: Look, progress: Progress | None) -> list[ImageFile | Refusal]:
    checked: list[ImageFile | Refusal] = []
    for path, defect, mask in listed:
        try:
            if printable(path) != str(path):
                raise ImageRefused(UNPRINTABLE)
            if defect is None:
                raise ImageRefused(f"it lies directly in test/; move it to test/{GOOD} or test/<type of defect>")
            if defect != GOOD and reads_as_good(defect):
                raise ImageRefused(
                    f"its folder {defect} is no type of defect; move it to test/{GOOD} or name the type of defect"
                )
            checked.append(ImageFile(path, look(path), defect, mask))
        except ImageRefused as error:
            checked.append(Refusal(printable(path), str(error)))
        if progress is not None:
            progress(len(checked), len(listed))
    return checked


def _image_set(checked: Sequence[ImageFile | Refusal]) -> ImageSet:
    files = tuple(item for item in checked if isinstance(item, ImageFile))
    return ImageSet(files, tuple(item for item in checked if isinstance(item, Refusal)))
