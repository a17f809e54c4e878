"""Where a backbone's weights lie: an installed package, the folder GAD_WEIGHTS, or the hub, in that order."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from gad_core.errors import GadError
from gad_core.features.backbones import Backbone

#: Names the folder in which a person without a network keeps weights.
FOLDER_VARIABLE = "GAD_WEIGHTS"

Source = Literal["package", "folder", "hub cache"]
Finder = Callable[[Backbone], Path | None]

_HUB_FILE = "model.safetensors"
_HUB_TIMEOUT = 5.0  # seconds for the hub to answer at all; a download may take as long as it takes


@dataclass(frozen=True)
class Place:
    """A weights file on this machine, and how it came there."""

    source: Source
    path: Path


def weights_file(backbone: Backbone) -> Path:
    """Where the backbone's weights lie, downloaded if need be; raises `GadError` where none are within reach."""
    return package_weights(backbone) or other_weights(backbone)


def package_weights(backbone: Backbone) -> Path | None:
    """The weights file of the package made for this backbone, where that package is installed."""
    package = find_spec(backbone.package.replace("-", "_")) if backbone.package else None
    folders = package.submodule_search_locations if package else None
    return next((path for folder in folders or () for path in Path(folder).glob("models/*.pth")), None)


def find_weights(backbone: Backbone) -> Place:
    """Where the weights lie on this machine; the hub is not asked. Raises `GadError` where they do not."""
    finders: tuple[tuple[Source, Finder], ...] = (
        ("package", package_weights),
        ("folder", _folder_weights),
        ("hub cache", _cached_weights),
    )
    for source, finder in finders:
        if path := finder(backbone):
            return Place(source, path)
    raise GadError(_out_of_reach(backbone, "the hub's cache does not hold them"))


def other_weights(backbone: Backbone) -> Path:
    """A weights file in timm's naming: from the folder GAD_WEIGHTS, else from the hub (or what it gave before).

    Raises `GadError` with every way out where neither has it.
    """
    if path := _folder_weights(backbone):
        return path
    try:
        return _cached_weights(backbone) or _download(backbone)
    except Exception as error:  # name server, proxy, certificate, server, disk: all mean that the hub gave nothing
        raise GadError(_out_of_reach(backbone, f"the hub gave none ({first_line(error)})")) from error


def _out_of_reach(backbone: Backbone, hub: str) -> str:
    folder = os.environ.get(FOLDER_VARIABLE)
    here = f"{FOLDER_VARIABLE}={folder} does not have it" if folder else f"{FOLDER_VARIABLE} is not set"
    install = f"install the package {backbone.package}, or " if backbone.package else ""
    return (
        f"no weights for {backbone.name} within reach: {here}, and {hub}; "
        f"{install}put {backbone.timm_name}.safetensors or .pth into a folder and set {FOLDER_VARIABLE} to it "
        f"(`gad weights {backbone.name} --out FOLDER` writes it on a machine with a network), "
        "or connect to the network once"
    )


def _folder_weights(backbone: Backbone) -> Path | None:
    folder = os.environ.get(FOLDER_VARIABLE)
    names = [f"{name}{ending}" for name in (backbone.timm_name, backbone.name) for ending in (".safetensors", ".pth")]
    return next((path for name in names if (path := Path(folder) / name).is_file()), None) if folder else None


def _cached_weights(backbone: Backbone) -> Path | None:
    """What the hub gave before."""
    from huggingface_hub import try_to_load_from_cache  # noqa: PLC0415 - as below

    cached = try_to_load_from_cache(backbone.hub_id, _HUB_FILE) if backbone.hub_id else None
    return Path(cached) if isinstance(cached, str) else None


def _download(backbone: Backbone) -> Path:
    # Imported only for those who chose a backbone from the hub.
    from huggingface_hub import get_hf_file_metadata, hf_hub_download, hf_hub_url  # noqa: PLC0415

    if not backbone.hub_id:
        raise GadError(f"timm names no place for {backbone.timm_name}")
    # One question with a deadline: the download itself would try again for half a minute before it gives up.
    get_hf_file_metadata(hf_hub_url(backbone.hub_id, _HUB_FILE), timeout=_HUB_TIMEOUT)
    return Path(hf_hub_download(backbone.hub_id, _HUB_FILE))


def first_line(error: Exception) -> str:
    """What an error says first; other libraries go on for pages."""
    return (str(error).splitlines() or [type(error).__name__])[0].rstrip(".:")
