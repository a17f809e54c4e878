"""Decisions as they are kept: rows of the database, lines of a table."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

from gad_core.gaussian.tuning import Tuning, WorkingPoint
from gad_core.wording import for_spreadsheet
from gad_core.workspace.rows import DecisionRow
from gad_core.workspace.tables import DecisionRecord, frozen, sound


def to_record(decision: DecisionRow) -> DecisionRecord:
    """The record of a decision."""
    return DecisionRecord(**_values(decision))


def from_record(record: DecisionRecord) -> DecisionRow:
    """The decision of a record."""
    with sound(record):
        point = WorkingPoint(**{one.name: getattr(record, one.name) for one in fields(WorkingPoint)})
        return frozen(DecisionRow, record, tuning=Tuning.from_json(record.settings), point=point)


def table(decisions: Sequence[DecisionRow]) -> list[dict[str, Any]]:
    """A plain line a decision, for a CSV; text that a spreadsheet would take for a formula is quoted."""
    return [
        {
            "when": decision.created.isoformat(),
            "who": for_spreadsheet(decision.who),
            "what": what(decision),
            "threshold": decision.point.threshold,
            "reject_above": decision.point.reject_above,
            "method": decision.point.method,
            "target_fpr": decision.point.target_fpr,
            "level": decision.point.level,
            "n": decision.point.n,
            **decision.tuning.to_json(),
            **_rates(decision.rates or {}),
            "note": for_spreadsheet(decision.note),
            "detector_version": decision.version,
            "id": decision.id,
            "restores": decision.restores,
        }
        for decision in decisions
    ]


#: What is kept of a threshold's rates, as `evaluate --json` names them.
RATES = (
    "left_out_fpr",
    "left_out_interval",
    "left_out_n",
    "test_fpr",
    "test_interval",
    "test_n",
    "tpr",
    "tpr_interval",
    "tpr_n",
    "chi2_left_out_fpr",
)


def _rates(known: Mapping[str, Any]) -> dict[str, Any]:
    """The rates as columns, an interval as two."""
    columns: dict[str, Any] = {}
    for name in RATES:
        value = known.get(name)
        if name.endswith("_interval"):
            columns[f"{name}_low"], columns[f"{name}_high"] = value or (None, None)
        else:
            columns[name] = value
    return columns


def what(decision: DecisionRow) -> str:
    """What was done: adopted, restored or withdrawn."""
    return "withdrawn" if decision.withdrawn else "restored" if decision.restores else "adopted"


def _values(decision: DecisionRow) -> dict[str, Any]:
    plain = ("id", "detector_id", "created", "who", "note", "version", "restores", "withdrawn")
    return {
        **{name: getattr(decision, name) for name in plain},
        "rates": dict(decision.rates) if decision.rates else None,
        "settings": decision.tuning.to_json(),
        **decision.point.to_json(),
    }
