"""What a scoring service counts, in the form that Prometheus reads."""

from typing import TYPE_CHECKING

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, Info, generate_latest

from gad_core.decision.verdict import OUTCOMES
from gad_core.gaussian.detector import Detector

if TYPE_CHECKING:
    from gad_core.export.answers import Results

_SECONDS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)
_RATIOS = (0.25, 0.5, 0.75, 0.9, 1, 1.1, 1.5, 2, 4, 8)
_PATHS = {"/score", "/health", "/live", "/metrics"}


class Metrics:
    """Counters of one application, apart from those of others in the process."""

    media_type = CONTENT_TYPE_LATEST

    def __init__(self, name: str, detector: Detector) -> None:
        self._registry = registry = CollectorRegistry()
        info = Info("gad_detector", "What the service judges with.", registry=registry)
        info.info({"name": name, "version": detector.version, "backbone": detector.backbone})
        self._images = Counter("gad_images", "Images by verdict.", ["verdict"], registry=registry)
        for outcome in OUTCOMES:
            self._images.labels(outcome)
        self._refused = Counter("gad_refused", "Files that could not be read.", registry=registry)
        self._ratios = Histogram("gad_score_ratio", "Score over threshold.", buckets=_RATIOS, registry=registry)
        self._requests = Counter("gad_requests", "Requests by path and status.", ["path", "status"], registry=registry)
        self._seconds = Histogram(
            "gad_request_seconds", "Time to the answer of a score request.", buckets=_SECONDS, registry=registry
        )
        self._dropped = Gauge("gad_results_dropped", "Results that no sink took.", registry=registry)

    def request(self, path: str, status: int, seconds: float) -> None:
        """Count a request; unknown paths are one, whatever somebody asks for."""
        self._requests.labels(path if path in _PATHS else "other", status).inc()
        if path == "/score":
            self._seconds.observe(seconds)

    def results(self, results: "Results") -> None:
        """Count what came of its images."""
        self._refused.inc(len(results.refused))
        for image in results.images:
            self._images.labels(image.verdict).inc()
            if image.threshold > 0:
                self._ratios.observe(image.score / image.threshold)

    def text(self, dropped: int) -> bytes:
        """All of it as Prometheus reads it."""
        self._dropped.set(dropped)
        return generate_latest(self._registry)
