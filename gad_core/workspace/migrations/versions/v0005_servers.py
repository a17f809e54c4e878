"""Which servers work with the database, also on other machines; which job goes on with an interrupted one."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add the table and the column."""
    op.create_table(
        "gad_servers",
        sa.Column("token", sa.String(16), primary_key=True),
        sa.Column("machine", sa.Text, nullable=False),
        sa.Column("seen", sa.DateTime, nullable=False),
    )
    op.add_column("gad_jobs", sa.Column("again", sa.String(16)))
