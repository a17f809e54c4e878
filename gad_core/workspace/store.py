"""What outlives a browser tab: data sets, detectors, adopted thresholds and jobs in one folder with one database."""

import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from copy import copy
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Self

from gad_core.data.augment import Pass
from gad_core.data.datasets import Dataset, read_dataset
from gad_core.data.digests import Digests
from gad_core.data.holding import flush, sweep, sweep_scratch
from gad_core.errors import GadError
from gad_core.features.cache import MAKING, FeatureCache
from gad_core.gaussian.detector_file import read_summary
from gad_core.workspace.database import Database
from gad_core.workspace.datasets import DatasetShelf
from gad_core.workspace.detectors import DetectorShelf
from gad_core.workspace.inspections import InspectionShelf
from gad_core.workspace.job_log import JobLog
from gad_core.workspace.place import Place, default_home, expanded
from gad_core.workspace.presence import arrive, departed, is_present
from gad_core.workspace.roots import Roots, roots_of
from gad_core.workspace.rows import DatasetRow, DetectorState, detector_state
from gad_core.workspace.servers import ServerLog
from gad_core.workspace.staging import discard, leave, workshop, writing_in
from gad_core.workspace.tables import now
from gad_core.workspace.watches import WatchShelf


class Store:
    """A workspace folder and its database; safe for several threads and processes at once.

    `home` holds `datasets/<id>/` in MVTec layout, `detectors/<id>.gad`, `explanations/`, `comparisons/`,
    `experiments/`, `sensitivity/`, `shifts/`, `inspected/` with images that were brought for a verdict alone, the
    disposable `cache/` and, unless another database is named, `gad.db`. What comes out are frozen rows; a row is there
    only if its files are, whole.
    """

    def __init__(self, home: Path, database_url: str | None = None, *, roots: Roots | None = None) -> None:
        """Open or make the workspace, and clear up after processes that died in it.

        Folders elsewhere are read below `roots` alone; by default, for who has the files at hand anyway, everywhere.
        Raises `GadError` if it cannot be written, if its database is damaged, or if a newer GAD wrote it.
        """
        self.home, self.roots = expanded(home), roots or Roots()
        self.cache = self.home / "cache"
        self.explanations = self.home / "explanations"  # runs over whole categories, a file each
        self.comparisons = self.home / "comparisons"  # baselines run on data sets, a file each
        self.experiments = self.home / "experiments"  # tables of the paper, a folder a data set
        self.sensitivity = self.home / "sensitivity"  # synthetic defects measured, a file a detector and data set
        self.shifts = self.home / "shifts"  # other cameras tried, a file a detector, data set and threshold
        self.inspected = self.home / "inspected"  # images brought for a verdict, a folder a detector
        self.exported = self.home / "exported"  # graphs and reports, for a detector's file as it was
        self._processes = self.home / "processes"
        with writing_in(self.home), ExitStack() as undo:
            kept = (self.explanations, self.comparisons, self.experiments, self.sensitivity, self.shifts)
            for folder in (self.cache, *kept, self.inspected, self.exported, self._processes):
                folder.mkdir(parents=True, exist_ok=True)
            database = Database(database_url or f"sqlite:///{self.home / 'gad.db'}")
            undo.callback(database.close)
            self._servers = ServerLog(database)
            self._presence = arrive(self._processes, self._servers.arrive)
            undo.callback(self._servers.leave, self._presence.token)
            undo.callback(self._presence.leave)
            self._lay_out(Place(self.home, database, self.owner, self.roots))
            self.recover()
            self._take_former_explanations()
            self._leave = undo.pop_all().close

    @property
    def owner(self) -> str:
        """The token of this process, by which others see whether it still lives."""
        return self._presence.token

    def _lay_out(self, place: Place) -> None:
        self._place = place
        self.datasets, self.detectors, self.jobs = DatasetShelf(place), DetectorShelf(place), JobLog(place)
        self.inspections, self.watches = InspectionShelf(place), WatchShelf(place)

    def closed_to(self, reason: str) -> Self:
        """The same workspace for somebody who may change nothing in it, for that reason.

        Every change raises `NotAllowed`; the cache alone is filled by whoever looks.
        """
        view = copy(self)
        view._lay_out(replace(self._place, database=self._place.database.closed_to(reason)))
        return view

    def check_open(self) -> None:
        """Raise `NotAllowed` where nothing may be changed; what writes files asks before it begins."""
        self._place.database.check_open()

    def recover(self) -> None:
        """Clear up after dead processes: what was half made goes, their waiting and running jobs become interrupted."""
        self.check_open()
        with writing_in(self.home):
            elsewhere = self._servers.elsewhere()
            for token in departed(self._processes, elsewhere):
                self.datasets.clear_up(token)
                self.detectors.clear_up(token, follow=self._follow)
                self.inspections.clear_up(token)
                discard(self.exported / f".{token}")
                if not elsewhere:  # not every shared disk shows the locks of other machines
                    self._sweep()
                self._servers.forget(token)
            self.jobs.interrupt(unless=lambda owner: owner in elsewhere or is_present(self._processes, owner))
        self.empty_bins(now())

    @contextmanager
    def exporting(self, name: str) -> Iterator[Path]:
        """A folder out of sight that takes the place of `exported/<name>` when the block ends well, with all its files.

        Raises `GadError` where the workspace cannot be written.
        """
        self.check_open()
        final = self.exported / name
        with writing_in(self.home), workshop(self.exported, self.owner) as place:
            content = place / "content"
            content.mkdir()
            yield content
            if final.exists():  # one of the same state of the detector's file
                final.rename(place / "former")
            content.rename(final)
            flush(self.exported)

    def empty_bins(self, moment: datetime) -> None:
        """Delete for good what has lain in the bin for a day by then, with the files that belong to it alone."""
        self.check_open()
        for detector_id in self.detectors.due(moment):
            with suppress(GadError):  # another process was faster, or somebody has brought it back
                self.detectors.remove(detector_id, due=moment)
        for dataset_id in self.datasets.due(moment):
            with suppress(GadError):
                self.datasets.remove(dataset_id, due=moment)

    def is_at_work(self, owner: str) -> bool:
        """Whether the process with this token still lives, as far as `recover` has not seen otherwise."""
        return is_present(self._processes, owner) or owner in self._servers.elsewhere()

    def damaged(self) -> tuple[str, ...]:
        """What cannot be read of the database, a sentence for each row; all other rows are there."""
        return (*self.datasets.damaged(), *self.detectors.damaged(), *self.watches.damaged())

    def feature_cache(self) -> FeatureCache:
        """The features and pixels of this workspace; what its detectors are made of goes last when room is short."""
        return FeatureCache(self.cache, in_use=self.in_use)

    def digests(self, dataset: DatasetRow) -> Digests:
        """What is known of a data set's files, as they were when they were last read."""
        return Digests(self.cache / "digests" / f"{dataset.id}.json", dataset.root)

    def read(self, dataset: DatasetRow) -> Dataset:
        """The images of a data set as they are now; what has not changed since the last time is not opened."""
        digests = self.digests(dataset)
        roots = self.roots if dataset.kind == "folder" else Roots()  # the others lie in the workspace
        images = read_dataset(roots.check(dataset.root), look=roots.guarded(digests.look))
        digests.save()
        return roots.masked(images)

    def in_use(self) -> frozenset[str]:
        """The names of cache entries that a detector's update would ask for."""
        names: set[str] = set()
        for row in self.detectors.all(binned=True):
            with suppress(GadError):  # a damaged file needs nothing
                names |= _made_of(row.path, detector_state(row))
        return frozenset(names)

    def _sweep(self) -> None:
        """Remove what dead processes had in the making."""
        folders = (self.home, self.home / "detectors", self.explanations, self.comparisons)
        cached = (self.cache / MAKING, self.cache / "digests", *self.cache.glob("training/*"))
        for folder in (
            *folders,
            self.sensitivity,
            self.shifts,
            self.exported,
            *self.inspected.glob("*"),
            *self.experiments.glob("**/"),
            *cached,
        ):
            sweep(folder)
        sweep_scratch()

    def _follow(self, before: DetectorState, after: DetectorState) -> None:
        """Finish an adoption: what was computed with the detector counts for its file as it is now."""
        from gad_core.workspace.explanations import carry_over  # noqa: PLC0415 - torch is slow, and deaths are rare

        carry_over(self.explanations, before, after)

    def _take_former_explanations(self) -> None:
        """An earlier version kept them in the cache, which may be deleted at any time."""
        for path in (self.cache / "explanations").glob("*.json"):
            with suppress(OSError):  # another process was faster, or something else has that name
                path.rename(self.explanations / path.name)

    def close(self) -> None:
        """Leave the workspace."""
        self.check_open()  # it is not theirs to leave
        for shelf in (self.datasets, self.detectors, self.inspections):
            shelf.leave()
        leave(self.exported, self.owner)
        self._leave()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@lru_cache(maxsize=32)
def _made_of(path: Path, _state: DetectorState) -> frozenset[str]:
    """Digests of the training images of a detector's file in that state, and the keys of their copies."""
    summary = read_summary(path)
    names = set(summary.digests)
    if augmented := summary.settings.augmented:
        passes = [Pass(augmented.settings, index, summary.settings.seed) for index in range(augmented.passes)]
        names.update(one.key(digest) for one in passes for digest in summary.digests)
    return frozenset(names)


def open_store(environment: Mapping[str, str] = os.environ) -> Store:
    """The store in the folder `GAD_HOME` (by default `~/.gad`), with the database `GAD_DATABASE` if one is named.

    Folders elsewhere are read below those that `GAD_ROOTS` lists.
    """
    home = default_home(environment)
    return Store(home, environment.get("GAD_DATABASE") or None, roots=roots_of(environment, home))
