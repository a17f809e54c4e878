"""Detectors carry the settings of their fit in one form, and an AUROC; decisions the number of images behind them."""

import re
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from alembic import op

from gad_core.workspace.columns import Json

revision = "0002"
down_revision = "0001"

_DETECTORS = sa.table(
    "gad_detectors", sa.column("id"), sa.column("backbone"), sa.column("n_train"), sa.column("settings", Json(dict))
)
_DECISIONS = sa.table("gad_decisions", sa.column("id"), sa.column("detector_id"), sa.column("how"), sa.column("n"))


def upgrade() -> None:
    """Add the columns, and rewrite the settings."""
    op.add_column("gad_detectors", sa.Column("auroc", sa.Double))
    op.add_column("gad_detectors", sa.Column("auroc_state", sa.Text))
    op.add_column("gad_decisions", sa.Column("n", sa.Integer, nullable=False, server_default="0"))
    connection = op.get_bind()
    n_train = {}
    for row in connection.execute(sa.select(_DETECTORS)).all():
        n_train[row.id] = row.n_train
        if not isinstance(row.settings, dict):  # damaged before: the store names it, and reads the others
            continue
        changed = fit_settings(row.backbone, row.settings)
        connection.execute(_DETECTORS.update().where(_DETECTORS.c.id == row.id).values(settings=changed))
    for row in connection.execute(sa.select(_DECISIONS)).all():
        n = images_behind(row.how, n_train.get(row.detector_id, 0))
        connection.execute(_DECISIONS.update().where(_DECISIONS.c.id == row.id).values(n=n))
    op.execute("UPDATE gad_schema SET version = 2")  # programs from before the revisions refuse it by that


def fit_settings(backbone: str, former: Mapping[str, Any]) -> dict[str, Any]:
    """Settings of a fit, from what the first versions wrote."""
    apart = former.get("apart", 0)  # one in so many images was not fitted
    return {
        "backbone": backbone,
        "n_folds": former.get("folds"),
        "seed": former.get("seed", 0),
        "without": sorted(former.get("without", ())),
        "calibration_share": 1 / apart if apart else 0.0,
        "augmented": former.get("augment"),
    }


def images_behind(how: str, n_train: int) -> int:
    """The number of images behind a threshold, which the sentence on its provenance names, else that of the fit."""
    named = re.search(r"(\d+) (?:separate |normal )*images", how)
    return int(named[1]) if named else n_train
