"""Alembic runs this: the revisions, on the connection and in the transaction of whoever opens the store."""

from alembic import context

_given = context.config.attributes
context.configure(connection=_given["connection"], version_table=_given["version_table"])
context.run_migrations()
