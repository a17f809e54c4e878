"""Tables of the paper on data sets of the workspace."""

from dataclasses import dataclass, replace
from functools import partial

from gad_core.data.datasets import Dataset
from gad_core.features.cache import FeatureCache
from gad_core.features.engines import load_engine
from gad_core.paper import results
from gad_core.paper.lab import Lab
from gad_core.paper.results import Result, make_tables
from gad_core.paper.settings import PaperSettings
from gad_core.paper.tables import parse_table
from gad_core.progress import Progress
from gad_core.workspace.rows import DatasetRow
from gad_core.workspace.staging import writing_in
from gad_core.workspace.store import Store


@dataclass(frozen=True)
class Experiment:
    """A table that was made; its numbers lie on disk."""

    dataset_id: str
    table: str

    @property
    def id(self) -> str:
        """A name for it."""
        return f"{self.dataset_id}-{self.table}"


def make_table(
    store: Store,
    dataset_id: str,
    table: str,
    *,
    backbone: str,
    cache: FeatureCache,
    progress: Progress | None = None,
) -> Experiment:
    """Make a table on one data set; what was done before is not done again. Raises as `make_tables` does."""
    store.check_open()
    row = store.datasets.get(dataset_id)
    with writing_in(store.home):
        make_tables([parse_table(table)], lab_of(store, row, store.read(row), backbone, cache), progress=progress)
    return Experiment(dataset_id, table)


def find_table(store: Store, row: DatasetRow, data: Dataset, table: str, *, backbone: str) -> Result | None:
    """The table, where all of it has been made on the data set as it is now."""
    return results.find_table(parse_table(table), lab_of(store, row, data, backbone, None))


def lab_of(store: Store, row: DatasetRow, data: Dataset, backbone: str, cache: FeatureCache | None) -> Lab:
    """One data set as the only category of an experiment."""
    settings = PaperSettings(backbones=(backbone,))
    engine_of = partial(load_engine, cache=cache)
    return Lab((replace(data, name=row.name),), settings, engine_of, store.experiments / row.id, cache)
