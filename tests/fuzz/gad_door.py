"""Detector files: the bytes as they are, or as a part of a file whose checksums are right."""

import hashlib
import json
import tempfile
import zipfile
from functools import cache
from io import BytesIO
from pathlib import Path

import numpy as np

from gad_core.data.groups import k_folds
from gad_core.errors import GadError
from gad_core.features.backbones import Backbone
from gad_core.features.regions import Regions
from gad_core.gaussian.by_region import fit_regions
from gad_core.gaussian.detector import TrainingImages
from gad_core.gaussian.detector_file import load_detector, read_summary
from gad_core.gaussian.detector_writing import JSON, TENSORS
from gad_core.gaussian.pooling import TOP_TENTH
from gad_core.gaussian.reduction import ALL
from gad_core.gaussian.settings import FitSettings
from gad_core.gaussian.tuning import Tuning, WorkingPoint
from tests.fitted import fit_features

N = 6
RAW, HEAD, TENSORS_ALONE, BOTH = range(4)  # what the first byte says of the rest


def attempt(data: bytes) -> None:
    """Load; what is taken scores its own images with numbers."""
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch, "fuzzed.gad")
        path.write_bytes(_file(data))
        try:
            summary, detector = read_summary(path), load_detector(path)
        except GadError:
            return
    assert summary.tuning == detector.tuning
    with np.errstate(all="raise", under="ignore"):
        assert np.isfinite(detector.scores(detector.training.features)).all()
        assert np.isfinite(detector.left_out_distances(ALL)).all()
    point = detector.working_point
    assert point is None or np.isfinite(point.threshold)


def _file(data: bytes) -> bytes:
    kind, rest = data[:1], data[1:]
    head, tensors = sound_parts()
    if kind == bytes([HEAD]):
        return archived(rest, tensors)
    if kind == bytes([TENSORS_ALONE]):
        return archived(head, rest)
    if kind == bytes([BOTH]):
        length = int.from_bytes(rest[:2])
        return archived(rest[2 : 2 + length], rest[2 + length :])
    return rest


def archived(head: bytes, tensors: bytes) -> bytes:
    """An archive whose head knows the checksum of its tensors, where it is a head at all."""
    try:
        values = json.loads(head)
        if isinstance(values, dict):
            head = json.dumps(values | {"sha256": {TENSORS: hashlib.sha256(tensors).hexdigest()}}).encode()
    except (ValueError, RecursionError):
        pass
    stream = BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr(JSON, head)
        archive.writestr(TENSORS, tensors)
    return stream.getvalue()


@cache
def sound_parts() -> tuple[bytes, bytes]:
    """Head and tensors of the smallest detector that has something of everything."""
    backbone, regions = Backbone("small", "small", "other", (2,), 8), Regions(1, 2, (1,))
    digests = tuple("abcdefgh")
    features = np.random.default_rng(1).normal(size=(8, 6)).astype(np.float32)
    training = TrainingImages(features[:N], digests[:N]).as_filed(2)
    folds, tuning = k_folds(N, 2), Tuning((1,), ALL, pool=TOP_TENTH)
    detector = fit_features(
        training,
        backbone,
        folds=folds,
        settings=FitSettings(backbone="small", tuning=tuning, regions=regions),
        tuning=tuning,
        fingerprint="f",
        by_region=fit_regions(training.features, regions, backbone.level_slices, folds, reduction=ALL, usual=()),
        calibration=TrainingImages(features[N:], digests[N:]).as_filed(2),
    )
    object.__setattr__(detector, "working_point", WorkingPoint("chi2", 0.1, 2.0, N, "by hand"))
    with tempfile.TemporaryDirectory() as scratch:
        detector.save(path := Path(scratch, "sound.gad"))
        with zipfile.ZipFile(path) as archive:
            return json.dumps(json.loads(archive.read(JSON)), separators=(",", ":")).encode(), archive.read(TENSORS)
