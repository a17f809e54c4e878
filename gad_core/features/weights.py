"""Where a backbone's weights lie: an installed package, the folder GAD_WEIGHTS, or the hub, in that order."""

import os
from importlib.util import find_spec
from pathlib import Path

from gad_core.errors import GadError
from gad_core.features.backbones import Backbone

#: Names the folder in which a person without a network keeps weights.
FOLDER_VARIABLE = "GAD_WEIGHTS"

_HUB_FILE = "model.safetensors"
_HUB_TIMEOUT = 5.0  # seconds for the hub to answer at all; a download may take as long as it takes


def package_weights(backbone: Backbone) -> Path | None:
    """The weights file of the package made for this backbone, where that package is installed."""
    package = find_spec(backbone.package.replace("-", "_")) if backbone.package else None
    folders = package.submodule_search_locations if package else None
    return next((path for folder in folders or () for path in Path(folder).glob("models/*.pth")), None)


def other_weights(backbone: Backbone) -> Path:
    """A weights file in timm's naming: from the folder GAD_WEIGHTS, else from the hub (or what it gave before).

    Raises `GadError` with every way out where neither has it.
    """
    folder = os.environ.get(FOLDER_VARIABLE)
    names = [f"{name}{ending}" for name in (backbone.timm_name, backbone.name) for ending in (".safetensors", ".pth")]
    for path in (Path(folder) / name for name in names) if folder else ():
        if path.is_file():
            return path
    try:
        return _hub_weights(backbone)
    except Exception as error:  # name server, proxy, certificate, server, disk: all mean that the hub gave nothing
        here = f"{FOLDER_VARIABLE}={folder} does not have it" if folder else f"{FOLDER_VARIABLE} is not set"
        install = f"install the package {backbone.package}, or " if backbone.package else ""
        raise GadError(
            f"no weights for {backbone.name} within reach: {here}, and the hub gave none ({first_line(error)}); "
            f"{install}put {backbone.timm_name}.safetensors or .pth into a folder and set {FOLDER_VARIABLE} to it, "
            "or connect to the network once"
        ) from error


def _hub_weights(backbone: Backbone) -> Path:
    # Imported only for those who chose a backbone from the hub.
    from huggingface_hub import get_hf_file_metadata, hf_hub_download, hf_hub_url, try_to_load_from_cache  # noqa: PLC0415

    if not backbone.hub_id:
        raise GadError(f"timm names no place for {backbone.timm_name}")
    cached = try_to_load_from_cache(backbone.hub_id, _HUB_FILE)
    if isinstance(cached, str):
        return Path(cached)
    # One question with a deadline: the download itself would try again for half a minute before it gives up.
    get_hf_file_metadata(hf_hub_url(backbone.hub_id, _HUB_FILE), timeout=_HUB_TIMEOUT)
    return Path(hf_hub_download(backbone.hub_id, _HUB_FILE))


def first_line(error: Exception) -> str:
    """What an error says first; other libraries go on for pages."""
    return (str(error).splitlines() or [type(error).__name__])[0].rstrip(".:")
