"""nbgrader's gradebook as a database: one engine for all that nbgrader opens, one transaction."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import nbgrader.api
from sqlalchemy import event


class Database:
    """Has the gradebooks at `address` that nbgrader opens meanwhile share one engine.

    nbgrader opens nine for each submission and commits 35 times; to make a gradebook, it commits
    after every table. An engine of its own for each would connect again, look the tables up again
    and compile every statement again; and a commit waits for the disk. Use it as a context
    manager, one at a time.
    """

    def __init__(self, address: str):
        self._address, self._make, self._connection = address, nbgrader.api.create_engine, None

    def __enter__(self):
        self._engine = self._make(self._address, echo=False, future=True)
        self._dispose, self._engine.dispose = self._engine.dispose, _nothing
        if self._engine.dialect.name == "sqlite":
            # Python's driver begins transactions by rules of its own, and not before a savepoint.
            event.listen(self._engine, "connect", _leave_transactions_to_us)
            event.listen(self._engine, "begin", _begin)
        nbgrader.api.create_engine = self._shared
        return self

    def __exit__(self, *_):
        nbgrader.api.create_engine = self._make
        self._dispose()

    def _shared(self, address, **options):
        if address != self._address:
            return self._make(address, **options)
        return self._connection or self._engine

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Make one transaction of all that is committed meanwhile; undo it after an exception.

        Raises SQLAlchemy's errors.
        """
        # A session bound to a connection within a savepoint commits by savepoints of its own.
        with self._engine.connect() as self._connection, self._connection.begin():
            self._connection.dispose = _nothing
            try:
                with self._connection.begin_nested():
                    yield
            finally:
                self._connection = None


def _nothing() -> None:
    """Stands for the `dispose` that a gradebook calls as it is closed."""


def _leave_transactions_to_us(connection, _):
    connection.isolation_level = None


def _begin(connection):
    connection.exec_driver_sql("BEGIN IMMEDIATE")
