"""The database's schema, version by version, as Alembic scripts."""
