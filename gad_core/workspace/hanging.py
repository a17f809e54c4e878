"""What hangs on a detector or a data set, named before it is deleted."""

from gad_core.wording import listed
from gad_core.workspace.explanations import runs_on
from gad_core.workspace.rows import DatasetRow, DetectorRow
from gad_core.workspace.store import Store


def hangs_on_detector(store: Store, row: DetectorRow) -> str:
    """What goes with a detector: `4 decisions, 212 inspected images and 1 watched folder`; empty where nothing does."""
    return _counted(
        {
            "decision": len(store.detectors.decisions(row.id)),
            "inspected image": store.inspections.count(row.id),
            "watched folder": len(store.watches.of(row.id)),
            "sensitivity study": sum(1 for _ in store.sensitivity.glob(f"{row.id}-*.json")),
            "shift study": sum(1 for _ in store.shifts.glob(f"{row.id}-*.json")),
        }
    )


def hangs_on_dataset(store: Store, row: DatasetRow) -> str:
    """What stays without its data set: `2 detectors and 1 run of explanations`; empty where nothing does."""
    return _counted(
        {
            "detector": sum(one.dataset_id == row.id for one in store.detectors.all()),
            "run of explanations": len(runs_on(store.explanations, row.id)),
        }
    )


def _counted(counts: dict[str, int]) -> str:
    return listed([f"{count:,} {_plural(name, count)}" for name, count in counts.items() if count])


def _plural(name: str, count: int) -> str:
    if count == 1:
        return name
    if name.startswith("run "):
        return name.replace("run", "runs", 1)
    return f"{name[:-1]}ies" if name.endswith("y") else f"{name}s"
