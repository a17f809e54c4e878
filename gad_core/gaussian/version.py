"""Which fit a detector is: the same images, settings and weights have one version, whoever fitted them."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from gad_core.gaussian.sample import SampleOf
from gad_core.gaussian.settings import FitSettings

_LENGTH = 12  # hexadecimal digits; two of a million fits share them with a chance of 0.2 %


def fit_version(
    settings: FitSettings,
    fingerprint: str,
    training: Sequence[str],
    calibration: Sequence[str] = (),
    *,
    sample_of: SampleOf | None = None,
) -> str:
    """Digest of what a fit was made from: settings, weights, and the digests of training and calibration images.

    Of a sample also the images that it was drawn from. How it is read, its tuning and threshold, is no part of it.
    """
    asked = {name: value for name, value in settings.to_json().items() if name != "tuning"}
    parts: list[Any] = [asked, fingerprint, list(training), list(calibration)]
    if sample_of:
        parts.append(asdict(sample_of))
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:_LENGTH]
