"""Where an image lies in a data set of MVTec layout, and under which name."""

import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path

from gad_core.data.images import IMAGE_SUFFIXES
from gad_core.workspace.rows import Counts

_LONGEST = 120  # bytes of a stem: room for "_mask", a number and a suffix within the 255 of most file systems
_RESERVED = {"CON", "PRN", "AUX", "NUL"} | {f"{port}{digit}" for port in ("COM", "LPT") for digit in "0123456789¹²³"}


def safe_name(name: str) -> str:
    """The last part of a foreign file name, made safe for every file system and for a folder scan.

    Path parts, control characters, characters and names that Windows reserves, outer dots and blanks go; a long stem is
    cut; what has no stem left is called "image". The suffix comes out in lower case.
    """
    last = unicodedata.normalize("NFC", name).replace("\\", "/").rsplit("/", 1)[-1]
    kept = "".join("_" if c in '<>:"|?*' else c for c in last if unicodedata.category(c)[0] != "C")
    stem, dot, suffix = kept.rstrip(" .").rpartition(".")
    if not dot:
        stem, suffix = suffix, ""
    stem = stem.encode()[:_LONGEST].decode(errors="ignore").strip(" .") or "image"
    if stem.split(".")[0].rstrip().upper() in _RESERVED:
        stem = f"_{stem}"
    suffix = suffix.strip().lower()[:_LONGEST]
    return f"{stem}.{suffix}" if suffix else stem


def place(
    root: Path, image: Path | bytes, *, name: str, split: str, defect: str, mask: Path | bytes | None = None
) -> Path:
    """Put an image (a file is moved, bytes are written) and its mask into the data set `root`.

    Returns where the image lies now: `root/split/defect/name`, with a number where that name is taken.
    """
    target = _free_place(root, safe_name(name), split=split, defect=safe_name(defect))
    _put(image, target)
    if mask is not None:
        _put(mask, _mask_of(root, target))
    return target


def moves_into(root: Path, source: Path, *, out: Path, replacing: Path | None = None) -> list[tuple[Path, Path]]:
    """What brings all images and masks of one data set into another, from and to, each to a free name.

    The image `replacing` and its mask go to the folder `out` first.
    """
    leaving = [path for path in (replacing, replacing and _mask_of(root, replacing)) if path and path.exists()]
    moves = [(path, out / path.relative_to(root)) for path in leaving]
    taken = set[Path]()

    def is_free(path: Path) -> bool:
        return path not in taken and (path in leaving or not path.exists())

    for image in sorted(images_in(source)):
        split, defect, name = image.relative_to(source).parts
        target = _free_place(root, name, split=split, defect=defect, is_free=is_free)
        taken.add(target)
        moves.append((image, target))
        if (mask := _mask_of(source, image)).exists():
            moves.append((mask, _mask_of(root, target)))
    return moves


def count(root: Path) -> Counts:
    """Images of a data set in MVTec layout."""
    folders = [image.relative_to(root).parts[:2] for image in images_in(root)]
    train, normal = folders.count(("train", "good")), folders.count(("test", "good"))
    return Counts(train=train, test_normal=normal, test_defective=len(folders) - train - normal)


def images_in(root: Path) -> Iterator[Path]:
    """The images of a data set in MVTec layout, in no order."""
    for split in ("train/good", "test/*"):
        yield from (path for path in root.glob(f"{split}/*") if path.suffix in IMAGE_SUFFIXES)


def _mask_of(root: Path, image: Path) -> Path:
    return root / "ground_truth" / image.parent.name / f"{image.stem}_mask.png"


def _free_place(
    root: Path, name: str, *, split: str, defect: str, is_free: Callable[[Path], bool] = lambda path: not path.exists()
) -> Path:
    """A place whose stem no other image has, or two images would share one mask."""
    wanted = Path(name)
    folder, stem, number = root / split / defect, wanted.stem, 1
    while not all(map(is_free, (folder / f"{stem}{suffix}" for suffix in IMAGE_SUFFIXES))):
        number += 1
        stem = f"{wanted.stem}-{number}"
    return folder / f"{stem}{wanted.suffix}"


def _put(source: Path | bytes, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(source, bytes):
        target.write_bytes(source)
    else:
        source.rename(target)
