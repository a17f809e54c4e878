"""ZIP archives among files and folders: unpacked while they are read, and named as they were given."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from gad_core.data.archives import unpack_zip
from gad_core.data.datasets import ImageSet, Refusal
from gad_core.data.holding import scratch
from gad_core.errors import GadError
from gad_core.library.reading import PathLike


@dataclass(frozen=True)
class Unpacked:
    """Paths that can be read, folders of unpacked images among them, and the archives that could not be unpacked."""

    paths: tuple[Path, ...]
    archives: dict[Path, Path]  # by the folder that one was unpacked to
    refused: tuple[Refusal, ...]

    def named(self, images: ImageSet) -> ImageSet:
        """Give the same images, those of an archive below its name: `parts.zip/lot 1/000.png`."""
        files = tuple(replace(file, path=self._name(file.path)) for file in images)
        refused = tuple(replace(one, path=str(self._name(Path(one.path)))) for one in images.refused)
        return ImageSet(files, refused + self.refused)

    def _name(self, path: Path) -> Path:
        for folder, archive in self.archives.items():
            if path.is_relative_to(folder):
                return archive / path.relative_to(folder)
        return path


@contextmanager
def unpacked(given: PathLike | Iterable[PathLike]) -> Iterator[Unpacked]:
    """Unpack the archives among some paths while the block lasts; raises `GadError` where nothing else is left."""
    paths = [Path(one) for one in ([given] if isinstance(given, PathLike) else given)]
    with scratch() as place:
        readable, archives, refused = list[Path](), dict[Path, Path](), list[Refusal]()
        for number, path in enumerate(paths):
            if path.suffix.lower() != ".zip" or path.is_dir():
                readable.append(path)
                continue
            folder = place / str(number)
            try:
                unpack_zip(path, folder)
            except GadError as error:
                refused.append(Refusal(str(path), str(error)))
            else:
                readable.append(folder)
                archives[folder] = path
        if refused and not readable:
            raise GadError(f"{refused[0].path}: {refused[0].reason}")
        yield Unpacked(tuple(readable), archives, tuple(refused))
