"""Which folders of this machine a browser may name: those below `GAD_ROOTS`, and no others, whatever lies there."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from gad_core.data.datasets import Dataset, ImageSet, Look
from gad_core.data.folders import Listing, check_folder, list_folder
from gad_core.errors import GadError, ImageRefused


@dataclass(frozen=True)
class Roots:
    """Folders below which all must lie that is named from a browser; without any there is no limit.

    What a path outside them gets to hear is the same whether it is there or not.
    """

    folders: tuple[Path, ...] = ()

    def check(self, path: Path) -> Path:
        """The absolute path, links and all, if it leads below one of the folders; raises `GadError`."""
        if not self.folders:
            return _absolute(path)
        absolute = _absolute(path)
        # First by its letters alone: of what lies outside not even the links are followed.
        if not any(absolute.is_relative_to(one) for folder in self.folders for one in (folder, _real(folder))):
            raise self._outside(path)
        if not self.holds(absolute):
            raise self._outside(path)
        return absolute

    def holds(self, path: Path) -> bool:
        """Whether an absolute path leads below one of the folders once its links are followed."""
        real = _real(path)
        return not self.folders or any(real.is_relative_to(_real(folder)) for folder in self.folders)

    @property
    def start(self) -> Path:
        """Where to begin to look."""
        return self.folders[0] if self.folders else Path("~")

    def list(self, path: Path) -> Listing:
        """Look into a folder as `list_folder` does; links that lead outside are left out."""
        listing = list_folder(self.check(path))
        return replace(listing, folders=tuple(one for one in listing.folders if self.holds(one.path)))

    def check_images(self, path: Path) -> Path:
        """A folder in which images can be expected, as `check_folder` does."""
        return check_folder(self.check(path))

    def guarded(self, look: Look) -> Look:
        """The same look at images, which refuses links that lead outside."""

        holds = self._by_folder()

        def guard(path: Path) -> str:
            if not holds(path):
                raise ImageRefused("it leads outside the folders that this server may read; add them to GAD_ROOTS")
            return look(path)

        return guard if self.folders else look

    def masked(self, dataset: Dataset) -> Dataset:
        """The same images without the masks that lie outside."""
        holds = self._by_folder()

        def inside(images: ImageSet) -> ImageSet:
            files = (replace(file, mask=None) if file.mask and not holds(file.mask) else file for file in images.files)
            return replace(images, files=tuple(files))

        return replace(dataset, train=inside(dataset.train), test=inside(dataset.test)) if self.folders else dataset

    def _by_folder(self) -> Callable[[Path], bool]:
        """Like `holds`, for many files of a few folders."""
        known: dict[Path, bool] = {}

        def holds(path: Path) -> bool:
            if path.parent not in known:
                known[path.parent] = self.holds(path.parent)
            return known[path.parent] and (not path.is_symlink() or self.holds(path))

        return holds

    def _outside(self, path: Path) -> GadError:
        below = " or ".join(map(str, self.folders))
        return GadError(
            f"{path} lies outside the folders that this server may read; choose one below {below}, or have it added to "
            "GAD_ROOTS where the server is started"
        )


def roots_of(environment: Mapping[str, str], home: Path) -> Roots:
    """The folders that `GAD_ROOTS` lists, else the home folder of whoever runs the server and the workspace `home`."""
    named = [Path(text) for text in environment.get("GAD_ROOTS", "").split(os.pathsep) if text]
    return Roots(tuple(_absolute(path) for path in named or (Path("~"), home)))


def _absolute(path: Path) -> Path:
    """Absolute, `..` taken out by its letters; `~` is the own home folder, and of nobody else anything is told."""
    if path.parts[:1] == ("~",):
        path = Path(os.path.expanduser("~"), *path.parts[1:])  # noqa: PTH111 - that one knows no home and says so
    return Path(os.path.normpath(path.absolute()))


def _real(path: Path) -> Path:
    try:
        return Path(os.path.realpath(path))
    except ValueError as error:
        raise GadError(f"there can be no file or folder of this name ({error}); check the path") from error
