"""What is known of networks from earlier starts: fingerprints, and the compiled ones that OpenVINO runs.

Both lie in the disposable cache under a key that says all they follow from, the code that makes them included. What
does not fit its key byte by byte counts as absent, and so does what OpenVINO refuses because it was compiled by another
version or for another processor: it is then made anew.
"""

import hashlib
import json
from collections.abc import Mapping
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from gad_core.features.backbones import Backbone
from gad_core.features.cache import FeatureCache

#: The modules beside this one that decide what comes out of a network's weights.
_CODE = ("folding", "levels", "networks", "openvino_graph", "region_of_interest", "regions", "timm_models")
_LIBRARIES = ("openvino", "timm", "torch")
_DIGEST = hashlib.sha256().digest_size


def weights_digest(weights: Path) -> str:
    """SHA-256 (hex) of a file of weights."""
    with weights.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def find_fingerprint(cache: FeatureCache, backbone: Backbone, weights: str) -> str | None:
    """The fingerprint of a backbone with the weights of that digest, where it is known."""
    found = _find(cache, _weights_key(backbone, weights))
    return found.decode() if found else None


def keep_fingerprint(cache: FeatureCache, backbone: Backbone, weights: str, fingerprint: str) -> None:
    """Remember it."""
    _keep(cache, _weights_key(backbone, weights), fingerprint.encode())


def find_compiled(cache: FeatureCache, key: Mapping[str, Any]) -> bytes | None:
    """What OpenVINO has exported under a key."""
    return _find(cache, {"compiled": dict(key)})


def keep_compiled(cache: FeatureCache, key: Mapping[str, Any], exported: bytes) -> None:
    """Remember it."""
    _keep(cache, {"compiled": dict(key)}, exported)


def _weights_key(backbone: Backbone, weights: str) -> dict[str, Any]:
    return {"weights": weights, "backbone": repr(backbone)}


def _find(cache: FeatureCache, key: Mapping[str, Any]) -> bytes | None:
    name = _name(key)
    data = cache.network(name)
    if data is None:
        return None
    digest, payload = bytes(data[:_DIGEST]), bytes(data[_DIGEST:])
    return payload if digest == _digest(name, payload) else None


def _keep(cache: FeatureCache, key: Mapping[str, Any], payload: bytes) -> None:
    name = _name(key)
    cache.keep_network(name, _digest(name, payload) + payload)


def _name(key: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps([key, _makers()], sort_keys=True).encode()).hexdigest()


def _digest(name: str, payload: bytes) -> bytes:
    return hashlib.sha256(name.encode() + payload).digest()


@cache
def _makers() -> dict[str, str]:
    """Versions and digests of the code that makes what is kept."""
    own = {name: Path(__file__).with_name(f"{name}.py") for name in _CODE}
    code = {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in own.items()}
    return code | {name: version(name) for name in _LIBRARIES}
