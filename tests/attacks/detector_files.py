"""Forged detector files: each whole, with right checksums, and wrong in one place, or odd in one and still right."""

import hashlib
import json
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy

from gad_core.features.backbones import Backbone
from gad_core.features.regions import Regions
from gad_core.features.registry import get_backbone
from gad_core.gaussian.by_region import fit_regions
from gad_core.gaussian.detector import Detector, TrainingImages
from gad_core.gaussian.detector_writing import JSON, TENSORS
from gad_core.gaussian.pooling import TOP_TENTH
from gad_core.gaussian.reduction import ALL, NPCA_5, Reduction
from gad_core.gaussian.settings import FitSettings
from gad_core.gaussian.tuning import Tuning, WorkingPoint
from tests.fitted import fit_features

Head = dict[str, Any]
Tensors = dict[str, np.ndarray]

N, N_FOLDS = 24, 4
LEVELS = (6, 12, 20)  # channels
REGIONS = Regions(2, 2, (2, 3))
BACKBONE: Backbone = replace(get_backbone("tf_efficientnet_lite0"), channels=LEVELS)
NAN, INF = float("nan"), float("inf")


@dataclass(frozen=True)
class Forgery:
    """What is done to a sound file, and what is to come of it."""

    name: str
    forge: Callable[[Head, Tensors], object]
    refused: str | None  # a part of the reason, which names the field; None: it scores as before


def features(n: int) -> np.ndarray:
    """Features (n, F) by level and region."""
    rng = np.random.default_rng(3)
    n_features = BACKBONE.n_features + REGIONS.n_features(BACKBONE)
    mixing = rng.normal(size=(n_features, n_features)) * np.logspace(0, -2, n_features)
    return (rng.standard_t(6, (n, n_features)) @ mixing + 2).astype(np.float32)


def make_file(path: Path) -> None:
    """Write a detector that has everything a file may hold."""
    digests = tuple(f"{i:064x}" for i in range(N + 8))
    known = features(N + 8)
    training = TrainingImages(known[:N], digests[:N], tuple("ab"[i % 2] for i in range(N))).as_filed(sum(LEVELS))
    held_out = TrainingImages(known[N:], digests[N:], (None,) * 8).as_filed(sum(LEVELS))
    folds = np.arange(N, dtype=np.intp) % N_FOLDS
    tuning = Tuning((2, 3), NPCA_5, pool=TOP_TENTH)
    point = WorkingPoint("cross-conformal", 0.2, 1.5, N, "by hand", reject_above=2.5, reject_fpr=0.1)
    detector: Detector = fit_features(
        training,
        BACKBONE,
        folds=folds,
        settings=FitSettings(backbone=BACKBONE.name, n_folds=N_FOLDS, tuning=tuning, regions=REGIONS),
        tuning=tuning,
        references=np.random.default_rng(4).integers(0, 255, (2, 8, 8, 3), dtype=np.uint8),
        calibration=held_out,
        by_region=fit_regions(training.features, REGIONS, BACKBONE.level_slices, folds, reduction=NPCA_5, usual=[ALL]),
    )
    replace(detector, working_point=point).save(path)


def numbers(detector: Detector) -> list[np.ndarray]:
    """All that a detector says of images and of itself."""
    known = features(N + 8)
    found = [detector.scores(known), detector.region_maps(known, detector.tuning)]
    for tuning in (detector.tuning, Tuning((1, 3), Reduction("pca", 0.9)), Tuning((2,), ALL), Tuning((2,), ALL, "sed")):
        found += [detector.scores_at(known, tuning), detector.left_out_scores(tuning)]
    point = detector.working_point
    return [*found, np.array([point.threshold, point.reject_above, point.target_fpr] if point else [])]


def read(data: bytes) -> tuple[Head, Tensors]:
    """Take a file apart."""
    with zipfile.ZipFile(BytesIO(data)) as archive:
        head, tensors = json.loads(archive.read(JSON)), safetensors.numpy.load(archive.read(TENSORS))
    return head, {name: values.copy() for name, values in tensors.items()}


def write(head: Head, tensors: Tensors) -> bytes:
    """Put it together with right checksums."""
    payload = safetensors.numpy.save({name: np.ascontiguousarray(values) for name, values in tensors.items()})
    return archived(json.dumps(head | {"sha256": {TENSORS: hashlib.sha256(payload).hexdigest()}}), payload)


def archived(head: str | bytes, payload: bytes, *, compression: int = zipfile.ZIP_DEFLATED, **more: bytes) -> bytes:
    """The archive of a head and tensors, as they are."""
    stream = BytesIO()
    with zipfile.ZipFile(stream, "w", compression, compresslevel=1) as archive:
        archive.writestr(JSON, head)
        archive.writestr(TENSORS, payload)
        for name, data in more.items():
            archive.writestr(name, data)
    return stream.getvalue()


def forged(sound: bytes, forgery: Forgery) -> bytes:
    """The forgery of a sound file."""
    head, tensors = read(sound)
    forgery.forge(head, tensors)
    return write(head, tensors)


def _set(path: str, value: Any) -> Callable[[Head, Tensors], None]:
    """Another value in the JSON; DROP takes the field away."""

    def forge(head: Head, _: Tensors) -> None:
        *way, last = (int(key) if key.isdigit() else key for key in path.split("."))
        at: Any = head
        for key in way:
            at = at[key]
        if value is DROP:
            del at[last]
        else:
            at[last] = value(at[last]) if callable(value) else value

    return forge


def _tensor(name: str, change: Callable[[np.ndarray], Any]) -> Callable[[Head, Tensors], None]:
    """Another tensor in the place of one."""

    def forge(_: Head, tensors: Tensors) -> None:
        tensors[name] = np.asarray(change(tensors[name]))

    return forge


def _first(value: float) -> Callable[[np.ndarray], np.ndarray]:
    """Another first number."""

    def change(values: np.ndarray) -> np.ndarray:
        values.reshape(-1)[0] = value
        return values

    return change


DROP = object()

#: Fields of the JSON, what stands in them instead, and what the reason names.
_HEADS: tuple[tuple[str, Any, str | None], ...] = (
    ("tuning.levels", [0], "tuning, levels.0"),
    ("tuning.levels", [], "tuning, levels"),
    ("tuning.levels", [2, 2], "tuning, levels"),
    ("tuning.levels", [4], "tuning.levels"),
    ("tuning.levels", [-1], "tuning, levels.0"),
    ("tuning.levels", [2.5], "tuning, levels.0"),
    ("tuning.levels", ["2"], "tuning, levels.0"),
    ("tuning.levels", [True, 3], "tuning, levels.0"),
    ("tuning.levels", 2, "tuning, levels"),
    ("tuning.levels", [10**30], "tuning, levels.0"),
    ("tuning.levels", [1, 2], "level 1 was not kept by region"),
    ("tuning.keep", "npca:nan", "does not say what to keep"),
    ("tuning.keep", "npca:0.3", "by_region.keep"),
    ("tuning.keep", 5, "tuning, keep"),
    ("tuning.score", "cosine", "is no distance"),
    ("tuning.score", "l2", "Mahalanobis"),
    ("tuning.pool", "top:0", "is no way to pool"),
    ("tuning.pool", "top:nan", "how to pool"),
    ("tuning.pool", "power:1e9", "is no way to pool"),
    ("tuning", [], "head, tuning"),
    ("tuning", DROP, "head, tuning"),
    ("working_point.threshold", NAN, "working point, threshold"),
    ("working_point.threshold", INF, "working point, threshold"),
    ("working_point.threshold", "1.5", "working point, threshold"),
    ("working_point.threshold", None, "working point, threshold"),
    ("working_point.threshold", DROP, "working point, threshold"),
    ("working_point.target_fpr", 0, "working point, target_fpr"),
    ("working_point.target_fpr", 1.0, "working point, target_fpr"),
    ("working_point.target_fpr", NAN, "working point, target_fpr"),
    ("working_point.n", 0, "working point, n"),
    ("working_point.n", 2.5, "working point, n"),
    ("working_point.level", "4", "working_point.level"),
    ("working_point.level", "0", "working point, level"),
    ("working_point.level", "../x", "working point, level"),
    ("working_point.reject_above", 1.0, "working point, reject_above"),
    ("working_point.reject_above", NAN, "working point, reject_above"),
    ("working_point.reject_fpr", 2.0, "working point, reject_fpr"),
    ("working_point.method", 3, "working point, method"),
    ("working_point.unknown", 3, "working point, unknown"),
    ("working_point", [1], "head, working_point"),
    ("settings.n_folds", 1, "number of folds"),
    ("settings.n_folds", "4", "settings, n_folds"),
    ("settings.seed", -1, "settings, seed"),
    ("settings.seed", 1.5, "settings, seed"),
    ("settings.calibration_share", NAN, "settings, calibration_share"),
    ("settings.calibration_share", 0.9, "calibration share"),
    ("settings.n_references", -1, "settings, n_references"),
    ("settings.groups", [["a"]], "settings, groups"),
    ("settings.groups", "lots", "settings, groups"),
    ("settings.without", [1], "settings, without.0"),
    ("settings.backbone", 1, "settings, backbone"),
    ("settings.regions.grid", "0x0", "no grid"),
    ("settings.regions.grid", "99999999x2", "at most 1000"),
    ("settings.augmented", {"settings": {"rotation": "x"}, "passes": 2}, "'rotation' is no number"),
    ("settings.augmented", {"settings": {"rotation": NAN}, "passes": 2}, "'rotation' is no number"),
    ("settings.augmented", {"settings": {}, "passes": 0}, "at least one pass"),
    ("settings.surprise", 1, "unknown fit setting 'surprise'"),
    ("settings", 7, "head, settings"),
    ("slices", [], "head, slices"),
    ("slices", [[0, 6], [6, 18]], "gaussians"),
    ("slices.0", [0, 0], "slices"),
    ("slices.0", [1, 6], "slices"),
    ("slices.1", [7, 18], "slices"),
    ("slices.1", [6, -18], "slices"),
    ("slices.2", [18, 10**12], "gaussians"),
    ("slices.0", [0], "head, slices.0"),
    ("gaussians", [], "gaussians"),
    ("gaussians", lambda all_of_them: all_of_them[:2], "gaussians"),
    ("gaussians.0.n", 0, "head, gaussians.0.n"),
    ("gaussians.0.n", 25, "gaussians"),
    ("gaussians.0.n_features", 7, "gaussians"),
    ("gaussians.0.whole", -0.5, "head, gaussians.0.whole"),
    ("gaussians.0.whole", 2.0, "head, gaussians.0.whole"),
    ("gaussians.0.whole", NAN, "head, gaussians.0.whole"),
    ("left_out", [], "left_out"),
    ("left_out", [[], [], []], "left_out"),
    ("left_out", lambda levels: [level[:1] for level in levels], "left_out"),
    ("left_out", lambda levels: levels[:2], "left_out"),
    ("left_out.1", lambda folds: folds[:3], "left_out"),
    ("left_out", lambda levels: [level[:3] for level in levels], "0.3.eigenvalues"),
    ("left_out", lambda levels: [[*level, level[0]] for level in levels], "0.4.eigenvalues"),
    ("left_out.0.0.n", 17, "left_out.0.0.n"),
    ("left_out.0.0.whole", NAN, "head, left_out.0.0.whole"),
    ("left_out.0.0.n_features", 5, "left_out"),
    ("training.digests", [], "head, training.digests"),
    ("training.digests", lambda digests: digests[1:], "gaussians"),
    ("training.digests.0", 5, "head, training.digests.0"),
    ("training.groups", ["a"], "training.groups"),
    ("calibration.groups", ["a"], "calibration.groups"),
    ("calibration.digests", ["0"], "calibration"),
    ("calibration", {}, "head, calibration.digests"),
    ("by_region.regions.grid", "3x3", "by_region"),
    ("by_region.regions.grid", "1000x1000", "by_region"),
    ("by_region.regions.grid", 7, "regions, grid"),
    ("by_region.regions.levels", [2, 4], "by_region.regions.levels"),
    ("by_region.regions.levels", [0, 2], "regions, levels.0"),
    ("by_region.regions.levels", [2], "level 3 was not kept by region"),
    ("by_region.regions.roi", "AAAA", "region of interest"),
    ("by_region.inside", [], "head, by_region.inside"),
    ("by_region.inside", [0, 1, 2, 4], "by_region.inside"),
    ("by_region.inside", [0, 1, 2, 2], "head, by_region.inside"),
    ("by_region.inside", [0, 1, 2], "by_region.left_out"),
    ("by_region.inside", [0, 1, 2, -1], "head, by_region.inside.3"),
    ("by_region.keep", ["all", "all"], "by_region.keep"),
    ("by_region.keep", ["all"], "by_region.keep"),
    ("by_region.keep", [], "head, by_region.keep"),
    ("by_region.gaussians", [[]], "by_region.gaussians"),
    ("by_region.gaussians", [[{"n": N, "n_features": 12, "whole": 0.1}] * 4] * 2, "by_region.gaussians"),
    ("by_region", None, "tuning.pool"),
    ("refused", [{"path": 1, "reason": ""}], "head, refused.0.path"),
    ("refused", "x", "head, refused"),
    ("fingerprint", None, "head, fingerprint"),
    ("schema", "3", "schema"),
    ("schema", 0, "schema"),
    ("schema", 1, "lacks what its schema says"),
    ("schema", 99, "newer version"),
    # Odd, and none of the scores' business.
    ("refused", [{"path": "<img src=x onerror=alert(1)>", "reason": "=1+1"}], None),
    ("working_point.how", "<script>alert(1)</script>", None),
    ("fingerprint", "", None),
    ("a later field", {"a": [1]}, None),
    ("training.groups", None, None),
    ("calibration.groups", None, None),
    ("training.digests.0", "../../etc/passwd", None),
    ("settings.seed", 10**30, None),
    ("settings.n_folds", None, None),
    ("schema", 2, None),
)

_LARGE = 2**62
#: Tensors, what is done to them, and what the reason names.
_TENSORS: tuple[tuple[str, Callable[[np.ndarray], Any], str | None], ...] = (
    ("folds", _first(-1), "folds"),
    ("folds", _first(N_FOLDS), "folds"),
    ("folds", _first(_LARGE), "folds"),
    ("folds", _first(1), "0.0.z2"),
    ("folds", lambda folds: folds[:0], "folds"),
    ("folds", lambda folds: folds[:-1], "folds"),
    ("folds", lambda folds: folds[:, None], "folds"),
    ("folds", lambda folds: folds.astype(np.float64), "folds"),
    ("folds", lambda folds: folds.astype(np.int32), "folds"),
    ("folds", lambda folds: folds * 0, "0.0.z2"),
    ("0.mean", _first(NAN), "0.mean"),
    ("0.mean", _first(INF), "0.mean"),
    ("0.mean", lambda mean: mean[:-1], "0.mean"),
    ("0.mean", lambda mean: mean[None], "0.mean"),
    ("0.mean", lambda mean: mean.astype(np.float32), "0.mean"),
    ("0.basis", _first(NAN), "0.basis"),
    ("0.basis", lambda basis: basis * 1.5, "0.basis"),
    ("0.basis", lambda basis: basis * 0, "0.basis"),
    ("0.basis", lambda basis: basis[:, ::-1] * [[1] * 5 + [0.5]], "0.basis"),
    ("0.basis", lambda basis: basis[:, :-1], "0.basis"),
    ("0.basis", lambda basis: basis[:-1], "0.basis"),
    ("2.basis", lambda basis: basis[:, [0, *range(basis.shape[1] - 1)]], "2.basis"),
    ("0.variance", _first(-1), "0.variance"),
    ("0.variance", _first(NAN), "0.variance"),
    ("0.eigenvalues", lambda values: -values, "0.eigenvalues"),
    ("0.eigenvalues", lambda values: values[::-1], "0.eigenvalues"),
    ("0.eigenvalues", lambda values: values * 0, "0.eigenvalues"),
    ("0.eigenvalues", _first(NAN), "0.eigenvalues"),
    ("0.eigenvalues", _first(1e300), "0.eigenvalues"),
    ("0.eigenvalues", lambda values: values[:0], "0.eigenvalues"),
    ("0.eigenvalues", lambda values: values[:-1], "0."),
    ("0.eigenvalues", lambda values: values[:, None], "0.eigenvalues"),
    ("0.head", _first(1.5), "0.head"),
    ("0.head", _first(NAN), "0.head"),
    ("0.tail", _first(-0.5), "0.tail"),
    ("0.tail", lambda tail: tail[:-1], "0.tail"),
    ("0.0.z2", _first(-1), "0.0.z2"),
    ("0.0.z2", _first(NAN), "0.0.z2"),
    ("0.0.z2", lambda z2: z2[:-1], "0.0."),
    ("0.0.z2", lambda z2: z2[:, :-1], "0.0.z2"),
    ("0.0.z2", lambda z2: z2.ravel(), "0.0.z2"),
    ("0.0.null", _first(-1), "0.0.null"),
    ("0.0.sed2", _first(NAN), "0.0.sed2"),
    ("0.0.eigenvalues", lambda values: -values, "0.0.eigenvalues"),
    ("training.features", _first(NAN), "training.features"),
    ("training.features", lambda values: values[:-1], "training.features"),
    ("training.features", lambda values: values[:, :-1], "training.features"),
    ("training.features", lambda values: values.astype(np.float16), "training.features"),
    ("training.by_region.codes", lambda codes: codes[:, :-1], "training.by_region.codes"),
    ("training.by_region.codes", lambda codes: codes.astype(np.uint8), "training.by_region.codes"),
    ("training.by_region.low", _first(NAN), "training.by_region.low"),
    ("training.by_region.step", _first(-1), "training.by_region.step"),
    ("training.by_region.step", _first(3e38), "training.by_region.step"),
    ("calibration.features", _first(NAN), "calibration.features"),
    ("calibration.by_region.low", lambda low: low[:-1], "calibration.by_region.low"),
    ("by_region.left_out", _first(NAN), "by_region.left_out"),
    ("by_region.left_out", _first(-1), "by_region.left_out"),
    ("by_region.left_out", _first(INF), "by_region.left_out"),
    ("by_region.left_out", lambda values: values[..., :-1], "by_region.left_out"),
    ("by_region.left_out", lambda values: values[:-1], "by_region.left_out"),
    ("by_region.left_out", lambda values: values.astype(np.float32), "by_region.left_out"),
    ("references", lambda pixels: pixels[..., 0], "references"),
    ("references", lambda pixels: pixels[:, :4], "references"),
    ("references", lambda pixels: pixels.astype(np.float32), "references"),
    ("references", lambda pixels: 255 - pixels, None),
    ("references", lambda pixels: pixels[:0], None),
)


def _without(name: str) -> Callable[[Head, Tensors], object]:
    return lambda _, tensors: tensors.pop(name)


def _with(name: str) -> Callable[[Head, Tensors], object]:
    return lambda _, tensors: tensors.update({name: np.zeros(3)})


def forgeries() -> Iterator[Forgery]:
    """All of them, in one order."""
    for index, (path, value, refused) in enumerate(_HEADS):
        shown = "changed" if callable(value) else "gone" if value is DROP else str(value)[:30]
        yield Forgery(f"{index}-{path}-{shown}", _set(path, value), refused)
    for index, (name, change, refused) in enumerate(_TENSORS):
        yield Forgery(f"{index}-{name}", _tensor(name, change), refused)
    for name in ("folds", "0.mean", "1.basis", "2.tail", "0.1.sed2", "training.features", "training.by_region.codes"):
        yield Forgery(f"without-{name}", _without(name), name)
    for name in ("9.mean", "by_region.0.0.mean", "../x"):
        yield Forgery(f"with-{name}", _with(name), name)
    yield Forgery("without-references", _without("references"), None)


@dataclass(frozen=True)
class Archive:
    """A file whose ZIP is not what it seems."""

    name: str
    make: Callable[[bytes], bytes]  # from a sound file
    refused: str | None


def archives() -> Iterator[Archive]:
    """Odd and hostile archives."""

    def again(sound: bytes, change: Callable[[bytes, bytes], bytes]) -> bytes:
        with zipfile.ZipFile(BytesIO(sound)) as archive:
            return change(archive.read(JSON), archive.read(TENSORS))

    def head(change: Callable[[bytes], bytes]) -> Callable[[bytes], bytes]:
        return lambda sound: again(sound, lambda json_, payload: archived(change(json_), payload))

    def packed(compression: int) -> Callable[[bytes], bytes]:
        return lambda sound: again(sound, lambda *parts: archived(*parts, compression=compression))

    def names(length: int, text: bytes) -> Callable[[bytes], bytes]:
        def tensors(json_: bytes, _: bytes) -> bytes:
            payload = length.to_bytes(8, "little") + text
            values = json.loads(json_) | {"sha256": {TENSORS: hashlib.sha256(payload).hexdigest()}}
            return archived(json.dumps(values), payload)

        return lambda sound: again(sound, tensors)

    def entry(offset: int, value: bytes) -> Callable[[bytes], bytes]:
        """Other bytes in the directory's entry of the tensors, the last one."""

        def change(sound: bytes) -> bytes:
            at = sound.rindex(b"PK\1\2") + offset
            return sound[:at] + value + sound[at + len(value) :]

        return change

    yield Archive("stored", packed(zipfile.ZIP_STORED), None)
    yield Archive("bzip2", packed(zipfile.ZIP_BZIP2), "packed in a way")
    yield Archive("lzma", packed(zipfile.ZIP_LZMA), "packed in a way")
    yield Archive("encrypted", entry(8, b"\1\0"), "packed in a way")
    yield Archive("unknown-compression", entry(10, b"\x63\0"), "packed in a way")
    yield Archive("size-0", entry(24, bytes(4)), "damaged")
    yield Archive("size-4-GB", entry(24, b"\xfe\xff\xff\xff"), "times its size")
    yield Archive("packed-size-0", entry(20, bytes(4)), "damaged")
    yield Archive("offset-beyond", entry(42, b"\xff\xff\xff\x7f"), "damaged")
    yield Archive("checksum", entry(16, bytes(4)), "damaged")
    yield Archive("further-file", lambda sound: again(sound, lambda *parts: archived(*parts, more=b"x")), None)
    yield Archive("no-directory", lambda sound: sound[:-22], "damaged")
    yield Archive("comment", lambda sound: sound[:-2] + b"\1\0x", "damaged")
    yield Archive("twice", lambda sound: sound + sound, None)  # the first is taken for what lies before an archive
    yield Archive("behind-other-bytes", lambda sound: b"MZ" + sound, "not a detector file")
    yield Archive("empty", lambda _: b"", "not a detector file")
    yield Archive("no-members", lambda _: b"PK\5\6" + bytes(18), "not a detector file")
    yield Archive("half", lambda sound: sound[: len(sound) // 2], "damaged")
    yield Archive("head-not-json", head(lambda _: b"\xff\xfe"), "no JSON")
    yield Archive("head-empty", head(lambda _: b""), "no JSON")
    yield Archive("head-a-list", head(lambda _: b"[]"), "not a detector file")
    yield Archive("head-deep", head(lambda _: b"[" * 200_000), "no JSON")
    yield Archive("head-wide", head(lambda _: b'{"schema": [' + b"[]," * 300_000 + b"[]]}"), "schema")
    yield Archive("head-of-lists", head(lambda _: b"[" + b"[]," * 600_000 + b"[]]"), "more lists")
    yield Archive("head-with-blanks", head(lambda data: data + b" " * 4000), None)
    yield Archive(
        "head-of-long-number", head(lambda data: data.replace(b'"seed": 0', b'"seed": ' + b"9" * 5000)), "no JSON"
    )
    yield Archive("names-endless", names(2**63, b"{}"), "bytes of names")
    yield Archive("names-cut", names(100, b"{}"), "damaged")
    yield Archive("names-a-list", names(2, b"[]"), "does not say what it holds")
    yield Archive("names-not-json", names(2, b"xx"), "does not say what it holds")
    yield Archive("names-none", names(2, b"{}"), "0.eigenvalues")


def bomb(kind: str, size: int) -> bytes:
    """A small file that unpacks to `size` bytes of JSON or of tensors; the directory says so, or lies."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    blank = bytes(1 << 20) if kind == "tensors" else b" " * (1 << 20)
    packed = b"".join(packer.compress(blank) for _ in range(size >> 20)) + packer.flush()
    data = archived(b"", b"") if kind == "json" else archived(b'{"schema": 3}', b"")
    stream = BytesIO()
    with zipfile.ZipFile(BytesIO(data)) as old, zipfile.ZipFile(stream, "w") as new:
        for name in (JSON, TENSORS):
            swollen = (name == JSON) is (kind != "tensors")
            info = zipfile.ZipInfo(name)
            new.writestr(info, packed if swollen else old.read(name))
    found = bytearray(stream.getvalue())
    declared = 1000 if kind == "lying json" else size
    name = (TENSORS if kind == "tensors" else JSON).encode()
    for signature, offset in ((b"PK\3\4", 8), (b"PK\1\2", 10)):
        at = found.index(signature)
        while name not in found[at : at + 80]:
            at = found.index(signature, at + 4)
        found[at + offset : at + offset + 2] = (8).to_bytes(2, "little")
        found[at + offset + 14 : at + offset + 18] = declared.to_bytes(4, "little")
    return bytes(found)
