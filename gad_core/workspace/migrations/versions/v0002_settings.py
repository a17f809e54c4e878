"""Detectors carry the settings of their fit in one form, and an AUROC; decisions the number of images behind them."""

import json
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_DETECTORS = sa.table("gad_detectors", sa.column("id"), sa.column("backbone"), sa.column("settings", sa.JSON))


def upgrade() -> None:
    """Add the columns and rewrite the settings."""
    op.add_column("gad_detectors", sa.Column("auroc", sa.Float))
    op.add_column("gad_detectors", sa.Column("auroc_state", sa.Text))
    op.add_column("gad_decisions", sa.Column("n", sa.Integer, nullable=False, server_default="0"))
    connection = op.get_bind()
    connection.execute(
        sa.text(
            "UPDATE gad_decisions SET n = "
            "(SELECT n_train FROM gad_detectors WHERE gad_detectors.id = gad_decisions.detector_id)"
        )
    )
    for row in connection.execute(sa.select(_DETECTORS)).all():
        changed = fit_settings(row.backbone, row.settings)
        connection.execute(_DETECTORS.update().where(_DETECTORS.c.id == row.id).values(settings=changed))
    connection.execute(sa.text("UPDATE gad_schema SET version = 2"))  # programs without migrations then refuse it


def fit_settings(backbone: str, former: dict[str, Any] | str) -> dict[str, Any]:
    """Settings of a fit, from what the first versions wrote."""
    values = json.loads(former) if isinstance(former, str) else former
    apart = values.get("apart", 0)
    return {
        "backbone": backbone,
        "n_folds": values.get("folds"),
        "seed": values.get("seed", 0),
        "without": sorted(values.get("without", ())),
        "calibration_share": 1 / apart if apart else 0.0,
        "augmented": values.get("augment"),
    }
