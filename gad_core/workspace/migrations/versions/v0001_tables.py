"""The tables of the first versions, which made them without a revision."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables."""
    schema = op.create_table("gad_schema", sa.Column("version", sa.Integer, primary_key=True, autoincrement=False))
    op.bulk_insert(schema, [{"version": 1}])
    op.create_table(
        "gad_datasets",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("root", sa.Text, nullable=False),
        sa.Column("n_train", sa.Integer, nullable=False),
        sa.Column("n_test_normal", sa.Integer, nullable=False),
        sa.Column("n_test_defective", sa.Integer, nullable=False),
        sa.Column("refused", sa.JSON, nullable=False),
        sa.Column("created", sa.DateTime, nullable=False, index=True),
        sa.Column("modified", sa.DateTime, nullable=False),
    )
    op.create_table(
        "gad_detectors",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("dataset_id", sa.String(16), sa.ForeignKey("gad_datasets.id", ondelete="SET NULL"), index=True),
        sa.Column("path", sa.Text, nullable=False),
        sa.Column("backbone", sa.Text, nullable=False),
        sa.Column("settings", sa.JSON, nullable=False),
        sa.Column("n_train", sa.Integer, nullable=False),
        sa.Column("created", sa.DateTime, nullable=False, index=True),
    )
    _decisions_and_jobs()


def _decisions_and_jobs() -> None:
    detector = sa.ForeignKey("gad_detectors.id", ondelete="CASCADE")
    op.create_table(
        "gad_decisions",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("detector_id", sa.String(16), detector, nullable=False, index=True),
        sa.Column("method", sa.Text, nullable=False),
        sa.Column("level", sa.Text, nullable=False),
        sa.Column("target_fpr", sa.Double, nullable=False),
        sa.Column("threshold", sa.Double, nullable=False),
        sa.Column("how", sa.Text, nullable=False),
        sa.Column("settings", sa.JSON, nullable=False),
        sa.Column("created", sa.DateTime, nullable=False),
    )
    op.create_table(
        "gad_jobs",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("created", sa.DateTime, nullable=False, index=True),
        sa.Column("state", sa.String(16), nullable=False, index=True),
        sa.Column("done", sa.Integer, nullable=False),
        sa.Column("total", sa.Integer, nullable=False),
        sa.Column("rate", sa.Double),
        sa.Column("started", sa.DateTime),
        sa.Column("finished", sa.DateTime),
        sa.Column("error", sa.Text),
        sa.Column("result_id", sa.Text),
    )
