"""The tables of the first versions, which made them by themselves: nothing is left to do."""

revision = "0001"
down_revision = None


def upgrade() -> None:
    """They are there."""
