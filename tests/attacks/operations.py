"""What is attacked: each operation with the workspace that it finds, and how a workspace is looked at afterwards."""

import hashlib
import os
import re
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

BACKBONE = "test_resnet"
Facts = dict[str, Any]


@dataclass(frozen=True)
class Operation:
    """`prepare` makes the workspace and says what `run` needs; `resumes` where a job can be asked for again."""

    name: str
    prepare: Callable[[Path], Facts]
    work: Callable[[Any, Facts], object]
    resumes: bool = False

    def run(self, home: Path, facts: Facts, counter: Any) -> None:
        """Do it, counted from the moment when the workspace is open to the one when it is left."""
        from gad_core.workspace.store import Store

        if self.name == "open":
            counter.on = True
        with Store(home) as store:
            counter.on = True
            self.work(store, facts)
        counter.on = False


def warm_up(folder: Path) -> None:
    """Load what every child needs, once, without a second thread: a tiny random network stands for the real ones."""
    import safetensors.torch
    import torch

    os.environ["GAD_WEIGHTS"] = str(folder / "weights")
    torch.set_num_threads(1)
    from gad_core.features import engines, registry
    from gad_core.features._torchvision import timm
    from gad_core.features.torch_engine import TorchEngine

    torch.manual_seed(0)
    module = timm.create_model(BACKBONE).eval()
    (folder / "weights").mkdir(exist_ok=True)
    safetensors.torch.save_file(module.state_dict(), folder / "weights" / f"{BACKBONE}.safetensors")
    engines.OpenVinoEngine = lambda network, _: TorchEngine(network, "cpu")  # type: ignore[misc,assignment]
    known = registry.get_backbone(BACKBONE)
    registry.BACKBONES = (known, *registry.BACKBONES)
    list(engines.load_engine(BACKBONE).stream([np.zeros((160, 160, 3), np.uint8)]))
    import gad_core.library.exporting
    import gad_core.library.reporting
    import gad_core.workspace.inspecting
    import gad_core.workspace.recalibration
    import gad_core.workspace.requests
    import gad_core.workspace.sending
    import gad_core.workspace.watching

    # Digests are kept of files that have not just changed; here all have.
    gad_core.data.digests._COARSE = 0


def picture(seed: int) -> bytes:
    """A small PNG."""
    stream = BytesIO()
    pixels = np.random.default_rng(seed).integers(0, 256, (9, 10, 3), np.uint8)
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


def mask(seed: int) -> bytes:
    stream = BytesIO()
    pixels = np.zeros((9, 10), np.uint8)
    pixels[2:6, seed : seed + 3] = 255
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


def packed() -> bytes:
    stream = BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for split, seeds in (("train/good", range(40, 44)), ("test/bent", range(44, 46))):
            for seed in seeds:
                archive.writestr(f"parts/{split}/{seed}.png", picture(seed))
        archive.writestr("parts/ground_truth/bent/44_mask.png", mask(1))
    return stream.getvalue()


def settings() -> Any:
    from gad_core.gaussian.settings import FitSettings

    return FitSettings(backbone=BACKBONE, n_folds=4, n_references=2, regions=None)


def point(value: float) -> Any:
    from gad_core.gaussian.tuning import WorkingPoint

    return WorkingPoint("cross-conformal", 0.25, value, 8, "from 8 images")


def laid(home: Path, name: str, seeds: range) -> Path:
    """A folder beside the workspace with images that have lain there for a while."""
    folder = home.parent / name
    folder.mkdir(exist_ok=True)
    for seed in seeds:
        path = folder / f"{seed}.png"
        path.write_bytes(picture(seed))
        os.utime(path, (then := time.time() - 60, then))
    return folder


def images(home: Path) -> Facts:
    """Eight good parts to fit, two to test, two defects with masks."""
    from gad_core.workspace.imports import add_upload, extend_upload
    from gad_core.workspace.store import Store

    with Store(home) as store:
        row = add_upload(store, [(f"{seed}.png", picture(seed)) for seed in range(8)], name="parts")
        extend_upload(store, row.id, [(f"{seed}.png", picture(seed)) for seed in (8, 9)], split="test")
        bent = [(f"{n}{end}.png", data) for n in (1, 2) for end, data in (("", picture(9 + n)), ("_mask", mask(n)))]
        extend_upload(store, row.id, bent, split="test", defect="bent")
        return {"dataset": row.id}


def fitted(home: Path) -> Facts:
    from gad_core.workspace.steps import fit_dataset
    from gad_core.workspace.store import Store

    facts = images(home)
    with Store(home) as store:
        row = fit_dataset(store, facts["dataset"], settings(), cache=store.feature_cache())
    return facts | {"detector": row.id}


def deciding(home: Path) -> Facts:
    """A detector with an adopted threshold, runs and results that hang on it, and inspected images."""
    from gad_core.workspace.baseline_runs import run_on_dataset
    from gad_core.workspace.inspecting import inspect_files
    from gad_core.workspace.store import Store

    facts = fitted(home)
    with Store(home) as store:
        adopt(store, facts, value=3.0)
        run_on_dataset(store, facts["dataset"], "neighbours", backbone=BACKBONE, cache=store.feature_cache())
        explained(store, facts)
        files = [(f"{seed}.png", picture(seed)) for seed in range(20, 30)]
        inspect_files(store, facts["detector"], [*files, ("notes.txt", b"no image")])
    return facts


def explained(store: Any, facts: Facts) -> None:
    """A run over the category as it is kept, without its half an hour."""
    from gad_core.attribution.category import CategoryExplanation
    from gad_core.workspace.explanations import ExplanationKey, Run, keep_run
    from gad_core.workspace.rows import detector_state

    row, dataset = store.detectors.get(facts["detector"]), store.datasets.get(facts["dataset"])
    key = ExplanationKey(dataset.state, detector_state(row), settings().tuning_on(_backbone()), 2)
    keep_run(store.explanations, Run(key, 0.9, CategoryExplanation(())))


def _backbone() -> Any:
    from gad_core.features.registry import get_backbone

    return get_backbone(BACKBONE)


def adopt(store: Any, facts: Facts, *, value: float = 4.0) -> None:
    from gad_core.gaussian.detector_file import load_detector
    from gad_core.workspace import adoption
    from gad_core.workspace.rows import Circumstances, detector_state

    row = store.detectors.get(facts["detector"])
    state, detector = detector_state(row), load_detector(row.path)
    circumstances = Circumstances("Ada", "agreed", {"tpr": 0.9})
    adoption.adopt(
        store, row, detector, detector.tuning, point(value), state=state, auroc=0.75, circumstances=circumstances
    )


def withdraw(store: Any, facts: Facts) -> None:
    from gad_core.gaussian.detector_file import load_detector
    from gad_core.workspace.adoption import restore

    row = store.detectors.get(facts["detector"])
    restore(store, row, load_detector(row.path).tuning, None)


def twice_adopted(home: Path) -> Facts:
    from gad_core.workspace.store import Store

    facts = deciding(home)
    with Store(home) as store:
        adopt(store, facts)
    return facts


def bring_back_decision(store: Any, facts: Facts) -> None:
    from gad_core.workspace.adoption import restore_decision

    row = store.detectors.get(facts["detector"])
    restore_decision(store, row, store.detectors.decisions(row.id)[-1].id, who="Bob")


def as_job(step: str) -> Callable[[Any, Facts], None]:
    """The step as a job of the queue, with its request on record."""

    def work(store: Any, facts: Facts) -> None:
        from gad_core.workspace.jobs import JobQueue

        request = asked(store, step, facts)

        def do(progress: Any) -> str:
            return str(request.run(store, cache=store.feature_cache(), progress=progress).id)

        with JobQueue(store) as jobs:
            job = jobs.wait(jobs.submit(request.kind, "it", do, request=request.to_json()), 60)
            if job.state != "done":
                raise RuntimeError(f"the job ended {job.state}: {job.error}")

    return work


def asked(store: Any, step: str, facts: Facts) -> Any:
    from gad_core.workspace import requests

    if step == "fit":
        return requests.Fit(facts["dataset"], settings())
    if step == "baseline":
        return requests.Baseline(facts["dataset"], "neighbours", BACKBONE)
    if step == "explain":
        return requests.Explain(facts["dataset"], facts["detector"], settings().tuning_on(_backbone()), 2)
    return requests.FolderImages(Path(facts["folder"]))


def resumed(home: Path, scratch: Path, facts: Facts) -> Any:
    """Ask again for the interrupted job, as a person does, and look; None where it never came on record, or ended."""
    from gad_core.workspace.requests import ask_again
    from gad_core.workspace.store import Store

    with Store(home) as store:
        for job in store.jobs.recent(1):
            if job.state == "interrupted":
                ask_again(job).run(store, cache=store.feature_cache(), progress=lambda *_: None)
                break
        else:
            return None
    return look(home, scratch, facts)


def _file(store: Any, facts: Facts, split: str, number: int) -> Any:
    data = store.read(store.datasets.get(facts["dataset"]))
    chosen = [one for one in data.test if one.anomalous] if split == "bent" else list(data.train)
    return sorted(chosen, key=lambda one: one.path)[number]


def relabel(store: Any, facts: Facts, *, split: str, number: int = 0, to: str = "test", **more: Any) -> None:
    from gad_core.workspace import imports

    file = _file(store, facts, split, number)
    imports.relabel(store, facts["dataset"], file, split=to, **more)  # type: ignore[arg-type]


def extend(store: Any, facts: Facts) -> None:
    from gad_core.workspace.imports import extend_upload

    files = [("2.png", picture(30)), ("2_mask.png", mask(3)), ("new.png", picture(31)), ("odd.png", b"no image")]
    extend_upload(store, facts["dataset"], files, split="test", defect="bent")


def upload(store: Any, facts: Facts) -> None:
    from gad_core.workspace.imports import add_upload

    files = [(f"{seed}.png", picture(seed)) for seed in range(40, 43)]
    add_upload(store, [*files, ("odd.png", b"no image")], name="upload")


def archive(store: Any, facts: Facts) -> None:
    from gad_core.workspace.imports import add_upload

    add_upload(store, [("parts.zip", packed())], name="packed")


def nothing(home: Path) -> Facts:
    from gad_core.workspace.store import Store

    Store(home).close()
    return {"folder": str(laid(home, "folder", range(50, 54)))}


def demo(store: Any, facts: Facts) -> None:
    """A demo category of few images: how they are drawn changes nothing about how they come in."""
    from gad_core.workspace import imports

    def write(root: Path, **_: object) -> tuple[Path, ...]:
        for seed in range(3):
            path = root / "washer" / "train" / "good" / f"{seed}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(picture(seed))
        return (root / "washer",)

    imports.write_demo = write  # type: ignore[assignment]
    imports.add_demo(store, "washer")


def in_bin(home: Path, what: str) -> Facts:
    from gad_core.workspace.store import Store

    facts = deciding(home)
    with Store(home) as store:
        export(store, facts)
        (store.datasets if what == "dataset" else store.detectors).delete(facts[what])
    return facts


def binned_detector(home: Path) -> Facts:
    return in_bin(home, "detector")


def binned_dataset(home: Path) -> Facts:
    return in_bin(home, "dataset")


def empty(home: Path) -> Facts:
    home.mkdir()
    return {}


def clear_bin(store: Any, facts: Facts) -> None:
    from datetime import timedelta

    from gad_core.workspace.tables import now

    store.empty_bins(now() + timedelta(days=2))


def name(store: Any, facts: Facts) -> None:
    store.detectors.rename(facts["detector"], "other")


def export(store: Any, facts: Facts) -> None:
    from gad_core.gaussian.detector_file import load_detector
    from gad_core.library.exporting import export_onnx
    from gad_core.workspace.rows import detector_state

    row = store.detectors.get(facts["detector"])
    with store.exporting(str(detector_state(row))) as folder:
        export_onnx(load_detector(row.path), folder / "detector.onnx")


def report(store: Any, facts: Facts) -> None:
    from gad_core.gaussian.detector_file import load_detector
    from gad_core.library.reporting import write_report
    from gad_core.workspace.rows import detector_state

    os.environ["GAD_HOME"] = str(store.home)
    row, dataset = store.detectors.get(facts["detector"]), store.datasets.get(facts["dataset"])
    path = store.exported / f"{detector_state(row)}-{dataset.id}.html"
    write_report(load_detector(row.path), store.read(dataset), path, attributions=0)


def watching(home: Path) -> Facts:
    from gad_core.workspace.store import Store
    from gad_core.workspace.watching import Watcher

    facts, line = deciding(home), laid(home, "line", range(60, 62))
    with Store(home) as store:
        watch = store.watches.start(facts["detector"], line)
        Watcher(store).look()
    return facts | {"watch": watch.id, "line": str(line)}


def watch(store: Any, facts: Facts) -> None:
    from gad_core.workspace.watching import Watcher

    line = Path(facts["line"])
    laid(line.parent / "home", line.name, range(60, 65))
    watcher = Watcher(store, cache=store.feature_cache())
    watcher.look()
    watcher.close()


def say(store: Any, facts: Facts) -> None:
    rows = store.inspections.of([facts["detector"]])
    store.inspections.say([row.id for row in rows[:3]], True, who="Ada")


def inspect(store: Any, facts: Facts) -> None:
    from gad_core.workspace.inspecting import inspect_files

    files = [(f"{seed}.png", picture(seed)) for seed in (20, 70, 71)]
    inspect_files(store, facts["detector"], [*files, ("lot.zip", packed())], cache=store.feature_cache())


def recalibrate(store: Any, facts: Facts) -> None:
    from gad_core.workspace.recalibration import recalibrate

    rows = [row for row in store.inspections.of([facts["detector"]]) if row.source == facts["detector"]]
    recalibrate(store, facts["detector"], [row.id for row in rows], who="Ada", cache=store.feature_cache())


def send(store: Any, facts: Facts) -> None:
    from gad_core.workspace.sending import send

    rows = store.inspections.of([facts["detector"]])
    send(store, facts["dataset"], rows[:2], split="test", defect="bent")


def of_folder(home: Path) -> Facts:
    from gad_core.workspace.imports import add_folder
    from gad_core.workspace.store import Store

    facts = deciding(home)
    with Store(home) as store:
        row = add_folder(store, laid(home, "folder", range(50, 54)))
    return facts | {"dataset": row.id}


OPERATIONS = {
    one.name: one
    for one in (
        Operation("open", empty, lambda _store, _: None),
        Operation("fit", images, as_job("fit"), resumes=True),
        Operation("adopt first", fitted, adopt),
        Operation("adopt again", deciding, adopt),
        Operation("withdraw", deciding, withdraw),
        Operation("restore", twice_adopted, bring_back_decision),
        Operation("relabel good as bent", images, lambda *a: relabel(*a, split="good", defect="bent", mask=mask(4))),
        Operation("relabel bent as torn", images, lambda *a: relabel(*a, split="bent", defect="torn")),
        Operation("relabel bent as good", images, lambda *a: relabel(*a, split="bent", to="train", defect="good")),
        Operation("extend", images, extend),
        Operation("upload", nothing, upload),
        Operation("upload ZIP", nothing, archive),
        Operation("demo", nothing, demo),
        Operation("import folder", nothing, as_job("folder"), resumes=True),
        Operation("rename", fitted, name),
        Operation("delete detector", deciding, lambda store, facts: store.detectors.delete(facts["detector"])),
        Operation(
            "bring back",
            binned_detector,
            lambda store, facts: store.detectors.bring_back(facts["detector"]),
        ),
        Operation("clear the bin of a detector", binned_detector, clear_bin),
        Operation("clear the bin of a data set", binned_dataset, clear_bin),
        Operation("export", deciding, export),
        Operation("report", deciding, report),
        Operation("watch", watching, watch),
        Operation("say", deciding, say),
        Operation("inspect", deciding, inspect),
        Operation("recalibrate", watching, recalibrate),
        Operation("send", deciding, send),
        Operation("send to a folder's copy", of_folder, send),
        Operation("baseline", images, as_job("baseline"), resumes=True),
        Operation("explain", fitted, explained),
    )
}

_ENTRY = re.compile(r"[0-9a-f]{64}|[0-9a-f]{40,}.*")


def look(home: Path, scratch: Path, facts: Facts) -> dict[str, Any]:
    """What a workspace holds for those who open it, and every file in it, both without ids and times."""
    from gad_core.workspace.store import Store

    with Store(home) as store:
        records, names = _records(store, facts)
    files = [*_files(home, names), *(f"temporary {path.relative_to(scratch)}" for path in scratch.rglob("*"))]
    return {"records": records, "files": files}


def _records(store: Any, facts: Facts) -> tuple[dict[str, Any], dict[str, str]]:
    """All records in words, by what they are, and a word for every id."""
    names: dict[str, str] = {}
    records: dict[str, Any] = {
        "binned": sorted(name for shelf in (store.datasets, store.detectors) for _, name, _ in shelf.binned())
    }
    for shelf in (store.datasets, store.detectors):
        for key, title, _ in shelf.binned():
            names[key] = f"<{title} in the bin>"
    for number, row in enumerate(sorted(store.datasets.all(), key=lambda row: row.created)):
        names[row.id] = f"<{row.name} {number}>"
        counts = (row.counts.train, row.counts.test_normal, row.counts.test_defective)
        data = store.read(row)
        shown = [
            f"{one.path.relative_to(row.root)} {one.mask and one.mask.name}"
            for part in (data.train, data.test)
            for one in part
        ]
        records[names[row.id]] = [row.kind, counts, len(row.refused), row.archived is not None, sorted(shown)]
    for number, row in enumerate(sorted(store.detectors.all(), key=lambda row: row.created)):
        names[row.id] = f"<{row.name} {number}>"
        records[names[row.id]] = _detector(store, row, facts, names)
    return records, names


def _detector(store: Any, row: Any, facts: Facts, names: dict[str, str]) -> list[Any]:
    from gad_core.gaussian.detector_file import load_detector
    from gad_core.workspace.adoption import in_force
    from gad_core.workspace.baseline_runs import runs_of
    from gad_core.workspace.decisions import what
    from gad_core.workspace.explanations import ExplanationKey, find_run
    from gad_core.workspace.rows import detector_state

    detector, decisions = load_detector(row.path), store.detectors.decisions(row.id)
    names[f"{detector_state(row)}"] = "<state>"
    held = in_force(decisions, detector.tuning, detector.working_point)
    data = next((one for one in store.datasets.all() if one.id == row.dataset_id), None)
    key = ExplanationKey(data.state, detector_state(row), settings().tuning_on(_backbone()), 2) if data else None
    return [
        row.n_train,
        names.get(row.follows or ""),
        round(row.current_auroc, 4) if row.current_auroc is not None else None,
        detector.working_point and f"{detector.working_point.method} {detector.working_point.threshold:.4f}",
        [f"{what(one)} {one.point.threshold:.4f} {one.who}" for one in decisions],
        bool(detector.working_point) == bool(held),  # no threshold holds without a decision
        "explained" if key and find_run(store.explanations, key) else None,
        [run.name for run in runs_of(store, data.state)] if data else [],
        sorted(f"{one.name} {one.score:.3f} {one.defective}" for one in store.inspections.of([row.id])),
        sorted(f"{Path(one.folder).name} {one.active}" for one in store.watches.of(row.id)),
    ]


def _files(home: Path, names: dict[str, str]) -> list[str]:
    """Every file and folder of the workspace, ids by what they name; of the cache what is no entry."""
    found = []
    for path in sorted(home.rglob("*")):
        words = str(path.relative_to(home))
        if words.startswith("cache") and (path.is_dir() or _ENTRY.fullmatch(path.name) or path.suffix == ".json"):
            continue
        if words.startswith(("gad.db-", "exported/.")):
            continue
        for key, name in names.items():
            words = words.replace(key, name)
        if path.suffix == ".json" and path.parent.name in ("explanations", "comparisons"):
            words = f"{path.parent.name}/a run"
        if path.is_file() and not words.startswith(("gad.db", "processes")) and path.suffix == ".png":
            words += f" {hashlib.sha256(path.read_bytes()).hexdigest()[:8]}"
        words = re.sub(r"(?<=/)\.[a-z2-9]{10}(?=/|$)", ".token", words)
        found.append(re.sub(r"-\d{15,}-\d+", "-state", words))
    return found
