"""Image files as they come into a folder, each as soon as it is whole."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from gad_core.data.datasets import list_images
from gad_core.data.digests import Stamp, stamp
from gad_core.data.walking import UNPRINTABLE, Tick, printable
from gad_core.errors import ImageRefused

_STILL = 2_000_000_000  # nanoseconds after which a file is taken for whole; a younger one after two equal looks

#: A file, and what it looked like when it was found.
Arrival = tuple[Path, Stamp]


@dataclass
class Arrivals:
    """What is known of a folder's files from look to look."""

    root: Path
    handled: dict[Path, Stamp] = field(default_factory=dict)  # as they looked when they were dealt with
    met: dict[Path, Stamp] = field(default_factory=dict)  # as they looked last, perhaps still being written

    def whole(self, moment: int, *, tick: Tick | None = None) -> list[Arrival]:
        """Files that are whole at a moment (nanoseconds since 1970) and not dealt with, the oldest first.

        Raises `GadError` where the folder is gone, and what `tick` raises, which is called at every entry.
        """
        met: dict[Path, Stamp] = {}
        arrived = []
        listed = set(list_images(self.root, tick=tick))
        for path in listed:
            try:
                looks = stamp(path)
            except OSError:  # gone between the list and the look
                continue
            if self.handled.get(path) == looks:
                continue
            met[path] = looks
            if moment - looks[2] > _STILL or self.met.get(path) == looks:
                arrived.append((path, looks))
        self.met, self.handled = met, {path: looks for path, looks in self.handled.items() if path in listed}
        return sorted(arrived, key=lambda one: (one[1][2], one[0]))

    def name(self, path: Path) -> str:
        """The name of a file below the folder; raises `ImageRefused` for one that no encoding knows."""
        text = path.relative_to(self.root).as_posix()
        if printable(text) != text:
            raise ImageRefused(UNPRINTABLE)
        return text

    def done(self, arrivals: Iterable[Arrival]) -> None:
        """Remember that these were dealt with, as they looked."""
        self.handled.update(arrivals)


def lot_of(name: str) -> str | None:
    """The lot of an image: the first sub-folder in its name below the folder that it came into."""
    first, deeper, _ = name.partition("/")
    return first if deeper else None


def told(root: Path, path: Path) -> str:
    """A file's name for a message, whatever it is made of."""
    return printable(path.relative_to(root).as_posix())
