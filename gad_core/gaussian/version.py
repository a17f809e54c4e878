"""Which fit a detector is: the same images, settings and weights have one version, whoever fitted them."""

import hashlib
import json
from collections.abc import Sequence

from gad_core.gaussian.settings import FitSettings

_LENGTH = 12  # hexadecimal digits; two of a million fits share them with a chance of 0.2 %


def fit_version(
    settings: FitSettings, fingerprint: str, training: Sequence[str], calibration: Sequence[str] = ()
) -> str:
    """Digest of what a fit was made from: settings, weights, and the digests of training and calibration images.

    How it is read, its tuning and threshold, is no part of it.
    """
    asked = {name: value for name, value in settings.to_json().items() if name != "tuning"}
    parts = [asked, fingerprint, list(training), list(calibration)]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:_LENGTH]
