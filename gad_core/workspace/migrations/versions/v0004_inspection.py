"""What was inspected and what people said of it; decisions with their circumstances; names, archive and bin."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the tables and the columns; of earlier decisions nobody knows who and why."""
    for table in ("gad_datasets", "gad_detectors"):
        op.add_column(table, sa.Column("description", sa.Text, nullable=False, server_default=""))
        for moment in ("used", "archived", "deleted"):
            op.add_column(table, sa.Column(moment, sa.DateTime))
    op.add_column("gad_detectors", sa.Column("follows", sa.String(16)))
    for bound in ("reject_above", "reject_fpr"):
        op.add_column("gad_decisions", sa.Column(bound, sa.Double))
    for words in ("who", "note", "version"):
        op.add_column("gad_decisions", sa.Column(words, sa.Text, nullable=False, server_default=""))
    op.add_column("gad_decisions", sa.Column("rates", sa.JSON))
    op.add_column("gad_decisions", sa.Column("restores", sa.String(16)))
    op.add_column("gad_decisions", sa.Column("withdrawn", sa.Boolean, nullable=False, server_default=sa.false()))
    _inspections()


def _inspections() -> None:
    def of_detector() -> sa.Column[str]:
        return sa.Column(
            "detector_id",
            sa.String(16),
            sa.ForeignKey("gad_detectors.id", ondelete="CASCADE"),
            nullable=False,
            index=True,
        )

    op.create_table(
        "gad_watches",
        sa.Column("id", sa.String(16), primary_key=True),
        of_detector(),
        sa.Column("folder", sa.Text, nullable=False),
        sa.Column("sink", sa.Text),
        sa.Column("sent", sa.Integer, nullable=False),
        sa.Column("active", sa.Boolean, nullable=False),
        sa.Column("owner", sa.Text),
        sa.Column("created", sa.DateTime, nullable=False),
    )
    op.create_table(
        "gad_inspections",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        of_detector(),
        sa.Column("source", sa.String(16), nullable=False),
        sa.Column("name", sa.String(1000), nullable=False),
        sa.Column("path", sa.Text, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False, index=True),
        sa.Column("lot", sa.Text),
        sa.Column("score", sa.Double, nullable=False),
        sa.Column("p_value", sa.Double, nullable=False),
        sa.Column("threshold", sa.Double, nullable=False),
        sa.Column("reject_above", sa.Double),
        sa.Column("version", sa.Text, nullable=False),
        sa.Column("decision_id", sa.String(16)),
        sa.Column("created", sa.DateTime, nullable=False),
        sa.UniqueConstraint("source", "name", "digest"),
    )
    op.create_table(
        "gad_human_verdicts",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column(
            "inspection_id",
            sa.Integer,
            sa.ForeignKey("gad_inspections.id", ondelete="CASCADE"),
            nullable=False,
            index=True,
        ),
        sa.Column("defective", sa.Boolean),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("created", sa.DateTime, nullable=False),
    )
