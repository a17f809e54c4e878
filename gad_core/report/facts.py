"""The plain facts of a report: data, fit, versions, and the commands that make it again."""

import importlib.metadata
import platform
import shlex
from collections.abc import Sequence
from pathlib import Path

from gad_core import wording
from gad_core.data.datasets import Dataset
from gad_core.export.calibration import digest_of
from gad_core.gaussian.detector import Detector
from gad_core.report.content import Content

Facts = list[tuple[str, str]]

_PACKAGES = ("numpy", "scipy", "scikit-learn", "torch", "timm", "openvino", "pillow")


def of_data(content: Content) -> Facts:
    """The images, with what tells whether they are the same ones."""
    detector, data = content.detector, content.dataset
    images = content.extraction.images
    kinds = {kind: sum(file.defect == kind for file in images) for kind in sorted({file.defect for file in images})}
    test = ", ".join(f"{count} {kind.replace('_', ' ')}" for kind, count in kinds.items())
    fitted = set(detector.training.digests)
    there = len(fitted & set(data.train.digests))
    still = (
        "all of them" if there == len(fitted) else f"{there} of {len(fitted)}: the data set has changed since the fit"
    )
    if not there:
        still = "none of them: this is not the data set of the fit"
    facts = [
        ("good parts fitted", _fitted(detector)),
        ("still in the data set", still),
        ("test images", f"{len(images)}: {test}"),
        ("of the test images", f"SHA-256 {digest_of(images.digests)}"),
    ]
    if detector.calibration:
        digests = detector.calibration.digests
        facts.insert(2, ("kept for calibration", f"{len(digests)}, SHA-256 {digest_of(digests)}"))
    if detector.training.groups:
        facts.append(("groups", f"{len(set(detector.training.groups) - {None})} among the good parts fitted"))
    return facts


def _fitted(detector: Detector) -> str:
    kept = f"SHA-256 {digest_of(detector.training.digests)}"
    if detector.n_left_out == detector.n_train:
        return f"{detector.n_train}, {kept}"
    return f"{detector.n_train}, {detector.n_left_out} of them scored left out, {kept}"


def of_fit(detector: Detector) -> Facts:
    """What the fit was asked for."""
    settings, regions = detector.settings, detector.regions
    copies = settings.augmented
    return [
        ("network", f"{detector.backbone}, weights {detector.fingerprint[:12]}"),
        ("score", wording.tuning(detector.tuning)),
        ("regions", f"{regions.rows} x {regions.columns} at {wording.levels(regions.levels)}" if regions else "none"),
        ("left-out folds", str(detector.n_folds)),
        ("seed", str(settings.seed)),
        ("augmented copies", f"{copies.passes} of each image" if copies else "none"),
        ("images left out on purpose", str(len(settings.without)) if settings.without else "none"),
    ]


def of_versions(detector: Detector, version: str) -> Facts:
    """What it was made with, `version` being this program's."""
    packages = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in _PACKAGES)
    return [
        ("GAD", version),
        ("Python", f"{platform.python_version()} on {platform.system()} {platform.machine()}"),
        ("packages", packages),
        ("detector version", f"{detector.version}: the same images, settings and weights have the same"),
    ]


def commands(detector: Detector, data: Dataset, path: Path, *, source: Path | None) -> str:
    """Say how to fit and report again, as far as a command line can."""
    name, settings = f"{data.name}.gad" if source is None else source.name, detector.settings
    fit = ["gad", "fit", data.root.name, name, "--backbone", detector.backbone, "--seed", str(settings.seed)]
    fit += ["--levels", ",".join(map(str, detector.tuning.levels)), "--keep", str(detector.tuning.reduction)]
    if settings.n_folds:
        fit += ["--folds", str(settings.n_folds)]
    if detector.tuning.pool and detector.regions:
        fit += ["--regions", f"{detector.regions.rows}x{detector.regions.columns}", "--pool", str(detector.tuning.pool)]
    elif detector.tuning.pool is None:
        fit += ["--regions", "1"]
    if detector.tuning.distance != "mahalanobis":
        fit += ["--score", detector.tuning.distance]
    if settings.augmented:
        fit += ["--augment", str(settings.augmented.passes)]
    return "\n".join((_joined(fit), _joined(["gad", "report", name, data.root.name, path.name])))


def _joined(words: Sequence[str]) -> str:
    return " ".join(shlex.quote(word) for word in words)
