"""New images judged by a detector of the workspace, and put on record."""

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gad_core.data.archives import unpack_zip
from gad_core.data.arrivals import lot_of
from gad_core.data.datasets import ImageFile, ImageSet, Refusal, read_paths
from gad_core.data.holding import flush, flush_all
from gad_core.data.placing import placed
from gad_core.data.walking import is_image
from gad_core.decision.verdict import Judge, Verdict
from gad_core.errors import GadError
from gad_core.features.cache import FeatureCache
from gad_core.features.engines import Engine, load_engine
from gad_core.features.extract import extract
from gad_core.gaussian.detector import Detector
from gad_core.gaussian.detector_file import load_detector
from gad_core.progress import Progress
from gad_core.workspace.adoption import on_record
from gad_core.workspace.imports import Upload
from gad_core.workspace.inspections import Judged, Reading
from gad_core.workspace.layout import safe_name
from gad_core.workspace.rows import DetectorRow, DetectorState, detector_state
from gad_core.workspace.staging import workshop, writing_in
from gad_core.workspace.store import Store

_REFUSED = "refused.json"  # what was refused of the files that were brought last


@dataclass(frozen=True)
class Inspector:
    """A detector of the workspace, as its file was when it was read, ready to judge."""

    row: DetectorRow
    state: DetectorState
    detector: Detector
    engine: Engine
    judge_features: Judge
    decision_id: str | None

    @classmethod
    def of(cls, store: Store, detector_id: str, *, engine: Engine | None = None) -> "Inspector":
        """Read the detector; raises `GadError` where it is gone or its weights are."""
        row = store.detectors.get(detector_id)
        state, detector = detector_state(row), load_detector(row.path)
        if engine is None or engine.network.fingerprint != detector.fingerprint:
            engine = load_engine(detector.backbone, cache=store.feature_cache())
        detector.check_network(engine.network)
        decision = on_record(store, row.path, detector) if detector.working_point else None
        return cls(row, state, detector, engine, Judge.of(detector), decision.id if decision else None)

    def judge(
        self, files: ImageSet, *, cache: FeatureCache | None = None, progress: Progress | None = None
    ) -> "Inspected":
        """Judge the images that can be read, by the adopted threshold or else cross-conformal at 5 %."""
        known = extract(files, self.engine, regions=self.detector.regions, cache=cache, progress=progress)
        return Inspected(known.images, known.features, self.judge_features(known.features))

    def reading(self, verdict: Verdict) -> Reading:
        """By what they were judged."""
        return Reading(verdict.threshold, verdict.reject_above, self.detector.version, self.decision_id)


@dataclass(frozen=True)
class Inspected:
    """The images that could be read, their features (n, F), and the verdict on them; `images` names the others."""

    images: ImageSet
    features: NDArray[np.float32]
    verdict: Verdict

    def judged(self, root: Path) -> list[Judged]:
        """What goes on record; names and lots are those below `root`, the first folder there being the lot."""
        return [
            Judged(*_named(file, root), score=score, p_value=p_value)
            for file, score, p_value in zip(
                self.images, self.verdict.scores.tolist(), self.verdict.p_values.tolist(), strict=True
            )
        ]


@dataclass(frozen=True)
class Brought:
    """Images that were brought by hand went on record."""

    id: str  # of the detector


def inspect_files(
    store: Store,
    detector_id: str,
    files: Sequence[Upload],
    *,
    cache: FeatureCache | None = None,
    progress: Progress | None = None,
) -> Brought:
    """Judge images and ZIP archives that somebody brought; they are kept, and what was refused is remembered.

    Sub-folders of an archive are lots. Raises `GadError` where the detector is gone, and where no file can be used.
    """
    store.check_open()
    inspector = Inspector.of(store, detector_id)
    folder = store.inspected / detector_id
    with writing_in(store.home), workshop(store.inspected, store.owner) as place:
        root, refused = place / "new", list[Refusal]()
        for number, (label, data) in enumerate(files):
            refused += _lay_out(label, data, root, number)
        found = inspector.judge(_listed(root), cache=cache, progress=progress)
        refused += [Refusal(_below(Path(one.path), root), one.reason) for one in found.images.refused]
        if not len(found.images):
            _remember(folder, refused)
            first = f" ({refused[0].path}: {refused[0].reason})" if refused else ""
            raise GadError(f"no image could be used out of {len(files)} files{first}; bring PNG, JPEG, BMP or TIFF")
        finals = [folder / f"{file.digest}{file.path.suffix.lower()}" for file in found.images]
        flush_all(root)
        with store.inspections.arriving(place, finals):
            folder.mkdir(exist_ok=True)
            for file, final in zip(found.images, finals, strict=True):
                if file.path.exists():  # one that came twice is kept once
                    file.path.replace(final)
            flush(folder)
            judged = [replace(one, path=final) for one, final in zip(found.judged(root), finals, strict=True)]
            store.inspections.add(detector_id, detector_id, judged, inspector.reading(found.verdict))
        _remember(folder, refused)
    return Brought(detector_id)


def refused_last(store: Store, detector_id: str) -> tuple[Refusal, ...]:
    """What was refused of the files that were last brought to a detector."""
    with suppress(OSError, ValueError, TypeError, KeyError):
        path = store.inspected / detector_id / _REFUSED
        return tuple(Refusal(one["path"], one["reason"]) for one in json.loads(path.read_text(encoding="utf-8")))
    return ()


def forget_refused(store: Store, detector_id: str) -> None:
    """Forget them again."""
    store.check_open()
    (store.inspected / detector_id / _REFUSED).unlink(missing_ok=True)


def _lay_out(label: str, data: bytes, root: Path, number: int) -> list[Refusal]:
    """Put a file, or those of an archive, below `root`; an archive that cannot be unpacked is refused."""
    if not label.lower().endswith(".zip"):
        path = root / safe_name(label)
        if not is_image(path):
            return [Refusal(label, "its name does not end as that of an image does; rename it to end in .png or .jpg")]
        if path.exists():
            path = path.with_stem(f"{path.stem}-{number}")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return []
    root.mkdir(parents=True, exist_ok=True)
    try:
        unpack_zip(data, root / safe_name(label))
    except GadError as error:
        return [Refusal(label, str(error))]
    return []


def _listed(root: Path) -> ImageSet:
    with suppress(GadError):  # none there
        if root.is_dir():
            return read_paths([root])
    return ImageSet(())


def _named(file: ImageFile, root: Path) -> tuple[str, Path, str, str | None]:
    """Name, path, digest and lot of a file."""
    name = _below(file.path, root)
    first, _, inner = name.partition("/")
    return name, file.path, file.digest, lot_of(inner if first.lower().endswith(".zip") else name)


def _below(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name


def _remember(folder: Path, refused: Sequence[Refusal]) -> None:
    with placed(folder / _REFUSED) as partial:
        partial.write_text(json.dumps([{"path": one.path, "reason": one.reason} for one in refused]), encoding="utf-8")
