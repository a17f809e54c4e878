"""People and their roles: who is let in, and that a viewer changes nothing, whichever way it is asked for."""

import inspect
import pkgutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import gad_core.workspace
from gad_core.data.shifts import Shift
from gad_core.deployment.settings import ShiftSettings
from gad_core.detectability.plan import SensitivitySettings
from gad_core.errors import GadError
from gad_core.gaussian.detector_file import load_detector
from gad_core.gaussian.settings import FitSettings
from gad_core.workspace import (
    adoption,
    baseline_runs,
    experiments,
    explanations,
    imports,
    inspecting,
    recalibration,
    requests,
    sending,
    sensitivity_runs,
    shift_runs,
    steps,
)
from gad_core.workspace.inspections import InspectionShelf, Reading
from gad_core.workspace.jobs import JobQueue
from gad_core.workspace.people import Access, NotAllowed
from gad_core.workspace.place import Place
from gad_core.workspace.rows import Counts, DetectorRow, JobRow, detector_state
from gad_core.workspace.store import Store

NOW = 1_000_000.0
RULES = Access.of({"engineers": ["Anna@Example.com"], "viewers": ["*@example.com", "guest@elsewhere.org"]})


def claims(email: str, **others: Any) -> dict[str, Any]:
    return {"is_logged_in": True, "email": email, "email_verified": True, "iat": NOW - 60} | others


@pytest.mark.parametrize(
    ("said", "role"),
    [
        (claims("anna@example.com"), "engineer"),
        (claims("ANNA@EXAMPLE.COM", email_verified="true"), "engineer"),
        (claims("ben@example.com"), "viewer"),
        (claims("guest@elsewhere.org"), "viewer"),
        (claims("anna@elsewhere.org"), None),
        (claims("anna@example.com.evil.org"), None),
        (claims("evil.org/@example.com@elsewhere.org"), None),
        (claims("anna@example.com", email_verified=False), None),
        (claims("anna@example.com", email_verified=None), None),
        (claims("anna@example.com", iat=NOW - 13 * 3600), None),
        (claims("anna@example.com", iat=None), None),
        (claims(""), None),
        ({}, None),
    ],
)
def test_a_role_follows_from_a_verified_fresh_email_on_a_list(said, role):
    person = RULES.person(said, NOW)
    assert person.role == role
    assert bool(person.refusal) == (role is None)
    assert (person.closed is None) == (role == "engineer")


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, "names nobody"),
        ({"engineers": []}, "names nobody"),
        ({"enginers": ["anna@example.com"]}, "got enginers"),
        ({"engineers": "anna@example.com"}, "is a list"),
        ({"engineers": ["*"]}, "neither an e-mail nor all of a domain"),
        ({"engineers": ["*@*"]}, "neither an e-mail nor all of a domain"),
        ({"viewers": ["a*@example.com"]}, "neither an e-mail nor all of a domain"),
        ({"viewers": ["*@example.com"], "hours": 0}, "how long a sign-in holds"),
    ],
)
def test_settings_that_let_nobody_in_or_cannot_be_meant_are_refused(settings, words):
    with pytest.raises(GadError, match=words):
        Access.of(settings)


@pytest.fixture
def there(store: Store, deciding: DetectorRow, picture: Callable[..., bytes], tmp_path: Path) -> SimpleNamespace:
    """A workspace with one of everything, what it holds, and a queue at work in it."""
    engineer = SimpleNamespace(picture=picture(50), folder=tmp_path / "folder")
    engineer.folder.mkdir()
    (engineer.folder / "0.png").write_bytes(picture(51))
    engineer.row, engineer.data = deciding, store.datasets.all()[0]
    engineer.detector = load_detector(deciding.path)
    inspecting.inspect_files(store, deciding.id, [("new.png", picture(52))], cache=store.feature_cache())
    (engineer.inspected,) = store.inspections.of([deciding.id])
    engineer.watch = store.watches.start(deciding.id, engineer.folder)
    engineer.job = JobRow("j", "fit", "t", store.owner, datetime.now(UTC))
    store.jobs.save(engineer.job)
    engineer.image = store.read(engineer.data).train.files[0]
    engineer.cache = store.feature_cache()
    return engineer


def held(store: Store) -> tuple[dict[str, str], list[str]]:
    """All that a workspace holds but its disposable cache: files by digest, and the database as text."""
    files = [path for path in store.home.rglob("*") if store.cache not in path.parents and "gad.db" not in path.name]
    with closing(sqlite3.connect(store.home / "gad.db")) as connection:
        rows = list(connection.iterdump())
    return {str(path): sha256(path.read_bytes()).hexdigest() if path.is_file() else "" for path in files}, rows


Change = Callable[[Store, SimpleNamespace], object]
#: Every public way to change a workspace, as a person would ask for it.
CHANGES: dict[str, Change] = {
    "Store.recover": lambda s, _: s.recover(),
    "Store.exporting": lambda s, _: s.exporting("x").__enter__(),
    "Store.empty_bins": lambda s, _: s.empty_bins(datetime.now(UTC)),
    "Store.close": lambda s, _: s.close(),
    "datasets.workshop": lambda s, _: s.datasets.workshop().__enter__(),
    "datasets.add": lambda s, t: s.datasets.add(t.folder, name="n", kind="upload"),
    "datasets.register": lambda s, t: s.datasets.register(t.folder, name="n", counts=Counts(1, 0, 0)),
    "datasets.extend": lambda s, t: s.datasets.extend(t.data.id, t.folder),
    "datasets.remove": lambda s, t: s.datasets.remove(t.data.id),
    "datasets.clear_up": lambda s, _: s.datasets.clear_up("token"),
    "datasets.leave": lambda s, _: s.datasets.leave(),
    "datasets.rename": lambda s, t: s.datasets.rename(t.data.id, "n"),
    "datasets.describe": lambda s, t: s.datasets.describe(t.data.id, "d"),
    "datasets.archive": lambda s, t: s.datasets.archive(t.data.id, True),
    "datasets.use": lambda s, t: s.datasets.use(t.data.id),
    "datasets.delete": lambda s, t: s.datasets.delete(t.data.id),
    "datasets.bring_back": lambda s, t: s.datasets.bring_back(t.data.id),
    "detectors.add": lambda s, t: s.detectors.add(t.detector.save, name="n", settings=FitSettings(), n_train=6),
    "detectors.note_auroc": lambda s, t: s.detectors.note_auroc(t.row.id, 0.5, detector_state(t.row)),
    "detectors.rewrite": lambda s, t: s.detectors.rewrite(
        t.row, t.detector.save, decision=s.detectors.decisions(t.row.id)[0], state=detector_state(t.row), auroc=None
    ),
    "detectors.remove": lambda s, t: s.detectors.remove(t.row.id),
    "detectors.clear_up": lambda s, _: s.detectors.clear_up("token", follow=lambda *_: None),
    "detectors.leave": lambda s, _: s.detectors.leave(),
    "detectors.rename": lambda s, t: s.detectors.rename(t.row.id, "n"),
    "detectors.describe": lambda s, t: s.detectors.describe(t.row.id, "d"),
    "detectors.archive": lambda s, t: s.detectors.archive(t.row.id, True),
    "detectors.use": lambda s, t: s.detectors.use(t.row.id),
    "detectors.delete": lambda s, t: s.detectors.delete(t.row.id),
    "detectors.bring_back": lambda s, t: s.detectors.bring_back(t.row.id),
    "jobs.add": lambda s, t: s.jobs.add(replace(t.job, id="k")),
    "jobs.save": lambda s, t: s.jobs.save(t.job),
    "jobs.interrupt": lambda s, _: s.jobs.interrupt(unless=lambda _: False),
    "inspections.add": lambda s, t: s.inspections.add(t.row.id, t.row.id, [], Reading(1.0, None, "v", None)),
    "inspections.arriving": lambda s, t: s.inspections.arriving(t.folder, [t.folder / "0.png"]).__enter__(),
    "inspections.clear_up": lambda s, _: s.inspections.clear_up("token"),
    "inspections.leave": lambda s, _: s.inspections.leave(),
    "inspections.say": lambda s, t: s.inspections.say([t.inspected.id], True),
    "watches.start": lambda s, t: s.watches.start(t.row.id, t.folder, sink=str(t.folder / "out.jsonl")),
    "watches.stop": lambda s, t: s.watches.stop(t.watch.id),
    "watches.take": lambda s, _: s.watches.take(unless=lambda _: False),
    "watches.sent": lambda s, t: s.watches.sent(t.watch.id, 1),
    "adoption.adopt": lambda s, t: adoption.adopt(
        s, t.row, t.detector, t.detector.tuning, t.detector.working_point, state=detector_state(t.row)
    ),
    "adoption.restore": lambda s, t: adoption.restore(s, t.row, t.detector.tuning, None),
    "adoption.restore_decision": lambda s, t: adoption.restore_decision(
        s, t.row, s.detectors.decisions(t.row.id)[0].id
    ),
    "baseline_runs.run_on_dataset": lambda s, t: baseline_runs.run_on_dataset(
        s, t.data.id, "1-NN", backbone=t.row.backbone, cache=t.cache
    ),
    "experiments.make_table": lambda s, t: experiments.make_table(
        s, t.data.id, "II", backbone=t.row.backbone, cache=t.cache
    ),
    "explanations.explain_dataset": lambda s, t: explanations.explain_dataset(
        s, t.data.id, t.row.id, t.detector.tuning, n_references=1, cache=t.cache
    ),
    "imports.add_demo": lambda s, _: imports.add_demo(s, "washer"),
    "imports.add_folder": lambda s, t: imports.add_folder(s, t.folder),
    "imports.add_upload": lambda s, t: imports.add_upload(s, [("1.png", t.picture)], name="n"),
    "imports.extend_upload": lambda s, t: imports.extend_upload(s, t.data.id, [("1.png", t.picture)]),
    "imports.stage": lambda s, t: imports.stage(
        s, [("1.png", t.picture)], t.folder, split="train", defect="good", progress=None
    ),
    "imports.relabel": lambda s, t: imports.relabel(s, t.data.id, t.image, split="test", defect="bent"),
    "inspecting.inspect_files": lambda s, t: inspecting.inspect_files(s, t.row.id, [("1.png", t.picture)]),
    "inspecting.forget_refused": lambda s, t: inspecting.forget_refused(s, t.row.id),
    "recalibration.recalibrate": lambda s, t: recalibration.recalibrate(s, t.row.id, [t.inspected.id]),
    "sending.send": lambda s, t: sending.send(s, t.data.id, [t.inspected]),
    "sensitivity_runs.measure_on_dataset": lambda s, t: sensitivity_runs.measure_on_dataset(
        s, t.data.id, t.row.id, SensitivitySettings(), tuning=t.detector.tuning, point=t.detector.working_point,
        cache=t.cache,
    ),
    "shift_runs.study_on_dataset": lambda s, t: shift_runs.study_on_dataset(
        s, t.data.id, t.row.id, ShiftSettings(), tuning=t.detector.tuning, point=t.detector.working_point,
        cache=t.cache,
    ),
    "shift_runs.remedies_on_dataset": lambda s, t: shift_runs.remedies_on_dataset(
        s, t.data.id, t.row.id, Shift("blur", 1), tuning=t.detector.tuning, point=t.detector.working_point,
        cache=t.cache,
    ),
    "steps.fit_dataset": lambda s, t: steps.fit_dataset(s, t.data.id, FitSettings(), cache=t.cache),
    "steps.try_demo": lambda s, t: steps.try_demo(s, "washer", backbone=t.row.backbone, cache=t.cache),
}  # fmt: skip
#: The others read. Three of them keep what they have read in the disposable cache.
READINGS = {
    *(
        "Store.damaged",
        "datasets.damaged",
        "detectors.damaged",
        "watches.damaged",
        "Store.closed_to",
        "Store.check_open",
        "Store.is_at_work",
        "Store.feature_cache",
        "Store.digests",
        "Store.read",
    ),
    "imports.remember",
    *("Store.in_use", "datasets.all", "datasets.get", "datasets.binned", "datasets.due", "detectors.all"),
    *("detectors.get", "detectors.decisions", "detectors.binned", "detectors.due", "jobs.get", "jobs.active"),
    *("jobs.recent", "inspections.names", "inspections.of", "inspections.of_source", "inspections.newest"),
    *("inspections.get", "inspections.find", "inspections.count", "inspections.latest", "watches.of"),
    *("watches.active", "adoption.on_record", "baseline_runs.runs_of", "experiments.find_table"),
    *("experiments.lab_of", "hanging.hangs_on_detector", "hanging.hangs_on_dataset", "imports.find_demo"),
    *("inspecting.refused_last", "known.what_is_known", "adoption.find_row", "known.find_dataset", "on_line.on_line"),
    *("shift_runs.find_shift_study", "shift_runs.find_remedies", "shift_runs.study_path", "shift_runs.remedies_path"),
    *("sensitivity_runs.find_study", "sensitivity_runs.path_of", "steps.find_fit", "steps.augmented_twin"),
}
_STEPS: dict[str, Callable[[SimpleNamespace], requests.Request]] = {
    "DemoImages": lambda _: requests.DemoImages("washer"),
    "FolderImages": lambda t: requests.FolderImages(t.folder),
    "Fit": lambda t: requests.Fit(t.data.id, FitSettings()),
    "Demo": lambda t: requests.Demo("washer", t.row.backbone),
    "Explain": lambda t: requests.Explain(t.data.id, t.row.id, t.detector.tuning, 1),
    "Baseline": lambda t: requests.Baseline(t.data.id, "1-NN", t.row.backbone),
    "PaperTable": lambda t: requests.PaperTable(t.data.id, "II", t.row.backbone),
    "Sensitivity": lambda t: requests.Sensitivity(
        t.data.id, t.row.id, t.detector.tuning, t.detector.working_point, SensitivitySettings()
    ),
    "ShiftStudy": lambda t: requests.ShiftStudy(
        t.data.id, t.row.id, t.detector.tuning, t.detector.working_point, ShiftSettings()
    ),
    "ShiftRemedies": lambda t: requests.ShiftRemedies(
        t.data.id, t.row.id, t.detector.tuning, t.detector.working_point, Shift("blur", 1)
    ),
}


def public(thing: object) -> list[str]:
    return [name for name, _ in inspect.getmembers(thing, inspect.isroutine) if not name.startswith("_")]


def ways(store: Store) -> set[str]:
    """All public methods of a workspace and its shelves, and all public functions that take one."""
    found = {f"Store.{name}" for name in public(Store)}
    shelves = {name: shelf for name, shelf in vars(store).items() if isinstance(getattr(shelf, "_place", None), Place)}
    assert isinstance(shelves["inspections"], InspectionShelf)
    found |= {f"{name}.{method}" for name, shelf in shelves.items() for method in public(shelf)}
    for module in pkgutil.iter_modules(gad_core.workspace.__path__):
        if module.name in ("migrations", "__main__"):
            continue
        contents = import_module(f"gad_core.workspace.{module.name}")
        for name in public(contents):
            function = getattr(contents, name)
            own = getattr(function, "__module__", None) == contents.__name__ and inspect.isfunction(function)
            if own and "store" in inspect.signature(function).parameters:
                found.add(f"{module.name}.{name}")
    return found


def test_every_public_way_into_the_workspace_is_known_to_change_it_or_to_read_it(store):
    assert ways(store) == CHANGES.keys() | READINGS
    assert set(_STEPS) == {
        name
        for name, kind in vars(requests).items()
        if inspect.isclass(kind) and isinstance(vars(kind).get("kind"), str)
    }


def test_a_viewer_changes_nothing_by_any_of_them(store, there):
    before, viewer = held(store), store.closed_to("b@example.com is a viewer")
    for name, change in CHANGES.items():
        with pytest.raises(NotAllowed, match="is a viewer"):
            pytest.fail(f"{name} went through: {change(viewer, there)!r}")
    for name, step in _STEPS.items():
        with pytest.raises(NotAllowed, match="is a viewer"):
            pytest.fail(
                f"{name} went through: {step(there).run(viewer, cache=there.cache, progress=lambda *_: None)!r}"
            )
    assert held(store) == before
    assert [row.id for row in viewer.detectors.all()] == [there.row.id]  # and still sees what there is


def test_a_viewer_neither_starts_nor_cancels_a_job_and_sees_them(store):
    with JobQueue(store) as jobs:
        viewer = jobs.closed_to("b@example.com is a viewer")
        job_id = jobs.submit("fit", "t", lambda _: "made")
        for change in (
            lambda: viewer.submit("fit", "t", lambda _: ""),
            lambda: viewer.cancel(job_id),
            viewer.close,
        ):
            with pytest.raises(NotAllowed, match="is a viewer"):
                change()
        assert viewer.wait(job_id, 30).result_id == "made"
