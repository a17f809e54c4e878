"""Jobs say what they were asked for, so that interrupted ones can be asked for again."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the column; of earlier jobs it is not known."""
    op.add_column("gad_jobs", sa.Column("request", sa.JSON))
