"""Indexes for pages that show a few of many inspected images, or ask whether any have come."""

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add the indexes."""
    op.create_index("ix_gad_inspections_source_id", "gad_inspections", ["source", "id"])
    op.create_index("ix_gad_inspections_detector_id_created", "gad_inspections", ["detector_id", "created"])
