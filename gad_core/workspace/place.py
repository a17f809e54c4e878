"""Where a workspace lies: a folder, a database, and the name under which this process works there."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gad_core.errors import GadError

if TYPE_CHECKING:  # the command line asks for the folder alone, and SQLAlchemy is slow to load
    from gad_core.workspace.database import Database
    from gad_core.workspace.roots import Roots


def default_home(environment: Mapping[str, str] = os.environ) -> Path:
    """The folder that `GAD_HOME` names, or `~/.gad`."""
    return expanded(Path(environment.get("GAD_HOME") or "~/.gad"))


def expanded(home: Path) -> Path:
    """The absolute path of a workspace; raises `GadError` where nobody has the home folder that it begins with."""
    try:
        return home.expanduser().absolute()
    except RuntimeError as error:
        raise GadError(f"there is no home folder for the workspace {home}; name a folder with GAD_HOME") from error


def lies_in_workspace(path: Path) -> bool:
    """Whether a file lies in the default workspace, which may know more of it."""
    return Path(os.path.realpath(path)).is_relative_to(os.path.realpath(default_home()))


@dataclass(frozen=True)
class Place:
    """What every shelf of the store needs to know; `owner` is the token of this process."""

    home: Path
    database: "Database"
    owner: str
    roots: "Roots"

    def inside(self, path: Path) -> str:
        """How a path is written down: relative within the workspace, so that the workspace may be moved."""
        return (path.relative_to(self.home) if path.is_relative_to(self.home) else path).as_posix()

    def outside(self, text: str) -> Path:
        """The path that was written down."""
        return self.home / text
