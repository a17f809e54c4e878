"""Gaussian anomaly detectors for images.

A frozen network turns normal images into features, a Gaussian is fitted to them at every level of the network, and the
distance of a new image from these Gaussians is its anomaly score (Rippel, Mertens, König and Merhof, IEEE TIM 2021).

    import gad_core as gad

    data = gad.read_dataset("parts")                        # train/good, test/good, test/<defect>
    fit = gad.fit(data.train, gad.FitSettings(n_folds=10))
    fit.detector.save("parts.gad")
    evaluation = gad.evaluate(fit.detector, data.test)      # AUROC, and rates at every threshold
    scored = gad.score(fit.detector, ["new.png", "more/"])  # a score, a p-value and a verdict an image
    explained = gad.explain(fit.detector, "new.png")            # which pixels the score comes from
    gad.export_onnx(fit.detector, "line/parts.onnx")            # one graph from images to verdicts, checked
    gad.write_report(fit.detector, data, "parts.html")      # one file for a review
    found = gad.sensitivity(fit.detector, data)             # what a defect must measure to be caught

Names are loaded when they are asked for: importing this package costs nothing. `docs/library.md` is a short tour.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gad_core.attribution.attribution_map import Attribution
    from gad_core.attribution.band_maps import BandAttribution
    from gad_core.attribution.explanation import Explanation
    from gad_core.attribution.measures import Measures, measure_map
    from gad_core.data.augment_settings import Augmentation
    from gad_core.data.datasets import Dataset, ImageSet
    from gad_core.data.shifts import Shift
    from gad_core.decision.drift import Drift
    from gad_core.decision.evaluation import Evaluation
    from gad_core.decision.localisation import Localisation
    from gad_core.decision.repeatability import Repeatability
    from gad_core.decision.verdict import Verdict
    from gad_core.deployment.remedies import Remedies
    from gad_core.deployment.results import DeploymentShift
    from gad_core.deployment.settings import ShiftSettings
    from gad_core.detectability.plan import SensitivitySettings
    from gad_core.detectability.results import Sensitivity
    from gad_core.errors import Cancelled, GadError, ImageRefused, NotExplained, SampleTooSmall
    from gad_core.features.region_of_interest import RegionOfInterest
    from gad_core.features.regions import Regions
    from gad_core.gaussian.detector import Detector
    from gad_core.gaussian.detector_file import load_detector
    from gad_core.gaussian.fit import Fit
    from gad_core.gaussian.pooling import Pool
    from gad_core.gaussian.reduction import Reduction
    from gad_core.gaussian.settings import Augmented, FitSettings
    from gad_core.gaussian.tuning import Tuning, WorkingPoint
    from gad_core.gaussian.whitening import Whitening
    from gad_core.library.deployment import deployment_shift, shift_remedies
    from gad_core.library.experiments import paper_tables
    from gad_core.library.explaining import ExplainedImage, explain, explain_bands
    from gad_core.library.exporting import Exported, export_onnx
    from gad_core.library.fitting import add_images, fit, remove_images
    from gad_core.library.judging import ScoredImages, evaluate, score
    from gad_core.library.monitoring import MonitoredImages, monitor
    from gad_core.library.reading import read_dataset, read_groups, read_images
    from gad_core.library.repeating import RepeatedImages, repeatability
    from gad_core.library.reporting import Reported, write_report
    from gad_core.library.sensitivity import sensitivity
    from gad_core.library.strategies import FoundStrategies, find_strategies
    from gad_core.paper.settings import PaperSettings

__version__ = "0.1.0"

__all__ = [
    "Attribution",
    "Augmentation",
    "Augmented",
    "BandAttribution",
    "Cancelled",
    "Dataset",
    "DeploymentShift",
    "Detector",
    "Drift",
    "Evaluation",
    "ExplainedImage",
    "Explanation",
    "Exported",
    "Fit",
    "FitSettings",
    "FoundStrategies",
    "GadError",
    "ImageRefused",
    "ImageSet",
    "Localisation",
    "Measures",
    "MonitoredImages",
    "NotExplained",
    "PaperSettings",
    "Pool",
    "Reduction",
    "RegionOfInterest",
    "Regions",
    "Remedies",
    "Repeatability",
    "RepeatedImages",
    "Reported",
    "SampleTooSmall",
    "ScoredImages",
    "Sensitivity",
    "SensitivitySettings",
    "Shift",
    "ShiftSettings",
    "Tuning",
    "Verdict",
    "Whitening",
    "WorkingPoint",
    "__version__",
    "add_images",
    "deployment_shift",
    "evaluate",
    "explain",
    "explain_bands",
    "export_onnx",
    "find_strategies",
    "fit",
    "load_detector",
    "measure_map",
    "monitor",
    "paper_tables",
    "read_dataset",
    "read_groups",
    "read_images",
    "remove_images",
    "repeatability",
    "score",
    "sensitivity",
    "shift_remedies",
    "write_report",
]

#: The module of each of them.
_HOMES = {
    "Attribution": "attribution.attribution_map",
    "Augmentation": "data.augment_settings",
    "Augmented": "gaussian.settings",
    "BandAttribution": "attribution.band_maps",
    "Cancelled": "errors",
    "Dataset": "data.datasets",
    "DeploymentShift": "deployment.results",
    "Detector": "gaussian.detector",
    "Drift": "decision.drift",
    "Evaluation": "decision.evaluation",
    "ExplainedImage": "library.explaining",
    "Explanation": "attribution.explanation",
    "Exported": "library.exporting",
    "Fit": "gaussian.fit",
    "FitSettings": "gaussian.settings",
    "FoundStrategies": "library.strategies",
    "GadError": "errors",
    "ImageRefused": "errors",
    "ImageSet": "data.datasets",
    "Localisation": "decision.localisation",
    "Measures": "attribution.measures",
    "MonitoredImages": "library.monitoring",
    "NotExplained": "errors",
    "PaperSettings": "paper.settings",
    "Pool": "gaussian.pooling",
    "Reduction": "gaussian.reduction",
    "RegionOfInterest": "features.region_of_interest",
    "Regions": "features.regions",
    "Remedies": "deployment.remedies",
    "Repeatability": "decision.repeatability",
    "RepeatedImages": "library.repeating",
    "Reported": "library.reporting",
    "SampleTooSmall": "errors",
    "ScoredImages": "library.judging",
    "Sensitivity": "detectability.results",
    "SensitivitySettings": "detectability.plan",
    "Shift": "data.shifts",
    "ShiftSettings": "deployment.settings",
    "Tuning": "gaussian.tuning",
    "Verdict": "decision.verdict",
    "Whitening": "gaussian.whitening",
    "WorkingPoint": "gaussian.tuning",
    "add_images": "library.fitting",
    "deployment_shift": "library.deployment",
    "evaluate": "library.judging",
    "explain": "library.explaining",
    "explain_bands": "library.explaining",
    "export_onnx": "library.exporting",
    "find_strategies": "library.strategies",
    "fit": "library.fitting",
    "load_detector": "gaussian.detector_file",
    "measure_map": "attribution.measures",
    "monitor": "library.monitoring",
    "paper_tables": "library.experiments",
    "read_dataset": "library.reading",
    "read_groups": "library.reading",
    "read_images": "library.reading",
    "remove_images": "library.fitting",
    "repeatability": "library.repeating",
    "score": "library.judging",
    "sensitivity": "library.sensitivity",
    "shift_remedies": "library.deployment",
    "write_report": "library.reporting",
}

if not TYPE_CHECKING:  # a checker that saw it would take every misspelt name for one of these

    def __getattr__(name: str) -> Any:
        """Load a public name when it is first asked for (PEP 562)."""
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        home = import_module(f"{__name__}.{_HOMES[name]}")
        return globals().setdefault(name, getattr(home, name))

    def __dir__() -> list[str]:
        return list(__all__)
