"""The database backend: django-tenants' own, made to fail closed (security.md S1, S7, D20-D25).

The library swallows a failed `SET search_path` and lets the next statement run on the previous tenant's path.
Here path and role are set in one statement, what the server answers is compared with what was asked, and any doubt
ends the connection.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import psycopg
from django.db import Error
from django_tenants.postgresql_backend import base as library

from tenants.backend.cleaning import CLEAN, CLEAN_ANSWERS, clean, settle
from tenants.backend.editor import SchemaEditor
from tenants.backend.messages import begins_with, execute_with_begin
from tenants.backend.recycling import Recycled, note_meeting
from tenants.backend.refusals import NotARead, ScopeChangedInTransaction, ScopeNotApplied, StaleCursor
from tenants.scope import Scope, current_scope, scope_or_none

T = TypeVar("T")
_plain = library.original_backend.DatabaseWrapper

SET_SCOPE = "SELECT set_config('search_path', %s, false), set_config('role', %s, false)"


@dataclass(frozen=True, slots=True)
class Ahead:
    """A statement that goes before the next read, in one round trip with it, and who judges its answer."""

    scope: Scope
    statement: str
    accept: Callable[[Any], None]


class DatabaseWrapper(Recycled, library.DatabaseWrapper):  # type: ignore[misc]
    """A PostgreSQL connection that never runs a statement outside the current scope."""

    SchemaEditorClass = SchemaEditor

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._proven: Scope | None = None
        self._transaction_scope: Scope | None = None
        self._ahead: Ahead | None = None
        self._born = False
        self._untried = False
        self._unclean = False
        self._locked = False
        super().__init__(*args, **kwargs)
        self._born = True
        self.execute_wrappers.append(self._guard)

    # -- the library's switches are not ours ---------------------------------------------------------------
    @property
    def schema_name(self) -> str:
        """The schema of the open scope; a label for the migration router, not a permission."""
        scope = scope_or_none()
        return scope.schema if scope else "public"

    @schema_name.setter
    def schema_name(self, value: str) -> None:
        if value not in (None, "public"):
            raise RuntimeError("The schema follows from tenants.scope; it is not assigned.")

    def set_tenant(self, tenant: Any, include_public: bool = True) -> None:
        """Refuse the library's way of switching (D01, D02); it is called once, harmlessly, at birth."""
        if self._born:
            raise RuntimeError("Use tenants.scope.tenant_scope(); the library's set_tenant() is not thread-safe.")
        self.tenant = tenant

    # -- the guard -----------------------------------------------------------------------------------------
    def _cursor(self, name: str | None = None) -> Any:
        scope = current_scope()
        self._refuse_second_scope(scope)
        if self._ahead is not None:
            if name is not None or scope != self._ahead.scope:
                raise NotARead("a cursor of another kind or scope")
            return _plain._cursor(self)  # _guard() enters the scope together with the statement
        cursor = _plain._cursor(self, name)
        if self._proven is scope or self._proven == scope:
            return cursor
        try:
            self._apply(scope)
        except ScopeNotApplied as error:
            if not self._may_be_stillborn(error.__cause__):
                raise
            cursor = _plain._cursor(self, name)
            self._apply(scope)
        return cursor

    def _may_be_stillborn(self, cause: BaseException | None) -> bool:
        """Whether to try once more on a new connection, because this one had died in the pool.

        Its neighbours there are dead then too. Entering the scope is the health check: nothing has run yet, and a
        new connection proves itself anew.
        """
        untried, self._untried = self._untried, False
        died = isinstance(cause, psycopg.OperationalError) and not isinstance(cause, psycopg.errors.QueryCanceled)
        if not (untried and died) or self.in_atomic_block:
            return False
        if self.pool is not None:
            self.pool.drain()
        return True

    def _apply(self, scope: Scope) -> None:
        """Bring the server into `scope`, or close the connection."""
        self._proven = None
        try:
            assert self.connection is not None, "a cursor was opened on it just now"
            note_meeting(self.connection, scope.schema)
            before, answers = self._clean_first()
            with self.connection.cursor() as raw:
                raw.execute(before + SET_SCOPE, (scope.schema, scope.role))
                answer = raw.set_result(answers).fetchone()
        except psycopg.errors.InFailedSqlTransaction:
            # The transaction is already lost: every further statement fails until the rollback, which forgets
            # the scope again. Closing here would hide the first error.
            return
        except BaseException as error:
            self._discard()
            raise ScopeNotApplied("The database could not enter the tenant's scope.") from error
        self._confirm(scope, answer)

    def _clean_first(self) -> tuple[str, int]:
        """Return what goes before the first statement on a connection from the pool, and how many answers it has.

        Inside a transaction cleaning would be undone by a rollback, so there it takes a message of its own before.
        """
        if not self._unclean:
            return "", 0
        if self.connection.autocommit:
            return f"{CLEAN}; ", CLEAN_ANSWERS
        clean(self.connection)
        self._unclean = False
        return "", 0

    def _confirm(self, scope: Scope, answer: tuple[Any, ...] | None) -> None:
        if answer is None or tuple(answer) != (scope.schema, scope.role):
            self._discard()
            raise ScopeNotApplied(f"Asked for {scope.schema}/{scope.role}, the server answered {answer!r}.")
        self._unclean = False
        self._untried = False
        self._proven = scope

    # -- scope, proof and the first read in one round trip -------------------------------------------------
    def read_behind(self, statement: str, accept: Callable[[Any], None], read: Callable[[], T]) -> T:
        """Enter the scope and send `statement` in one round trip with the one query of `read`, else alone.

        `accept` gets the row and raises when it is not what it should be. The query's own answer is handed out
        only afterwards, so nothing is shown that the statement has not vouched for. Whatever fails on the way
        ends the connection: raises ScopeNotApplied, or what `accept` raised.
        """
        self._ahead = Ahead(current_scope(), statement, accept)
        try:
            answer = read()
            if self._ahead is not None:
                with self.cursor() as cursor:
                    cursor.execute("")
            return answer
        finally:
            self._ahead = None

    def _guard(self, execute: Any, sql: Any, params: Any, many: bool, context: Any) -> Any:
        scope = current_scope()
        cursor = context["cursor"].cursor
        self._locked = self._locked or "advisory" in str(sql)
        if self._ahead is not None:
            ahead, self._ahead = self._ahead, None
            is_read = isinstance(sql, str) and not many and (not sql or sql.startswith("SELECT "))
            if not is_read or scope != ahead.scope:
                raise NotARead(sql)
            return self._execute_behind(ahead, execute, sql, params, context)
        if self._proven is None:
            self._apply(scope)  # a rollback came between the cursor and this statement
        elif self._proven is not scope and self._proven != scope:
            raise StaleCursor
        if cursor.connection is not self.connection:
            raise StaleCursor  # its connection went back to the pool, where somebody else may have it by now
        if not many and isinstance(sql, str) and begins_with(self.connection, cursor):
            return execute_with_begin(self.connection, execute, sql, params, context)
        return execute(sql, params, many, context)

    def _execute_behind(self, ahead: Ahead, execute: Any, sql: str, params: Any, context: Any) -> Any:
        """Send three statements as one message; the server stops at the first that fails and undoes them all."""
        scope = ahead.scope
        note_meeting(self.connection, scope.schema)
        values = (scope.schema, scope.role, *(params or ()))
        self._proven = None
        try:
            before, answers = self._clean_first()
            own = sql if params is not None else sql.replace("%", "%%")
            together = f"{before}{SET_SCOPE}; {ahead.statement}; {own}"
            answer = execute(together, values, False, context)
        except (Error, psycopg.Error) as error:
            cause = error.__cause__ if isinstance(error, Error) else error
            if isinstance(cause, psycopg.errors.InFailedSqlTransaction):
                raise
            self._discard()
            if not self._may_be_stillborn(cause):
                raise ScopeNotApplied("The tenant's scope, its proof or the read with them failed.") from error
            context["cursor"].cursor = _plain._cursor(self).cursor
            self._untried = False
            return self._execute_behind(ahead, execute, sql, params, context)
        except BaseException:
            self._discard()
            raise
        raw = context["cursor"].cursor
        self._confirm(scope, raw.set_result(answers).fetchone())
        raw.nextset()
        try:
            ahead.accept(raw.fetchone())
        except BaseException:
            self._discard()
            raise
        raw.nextset()
        return answer

    def _discard(self) -> None:
        """End the physical connection so that nothing can run on whatever state it is in."""
        raw: Any = getattr(self, "connection", None)
        self.connection: Any = None
        self._proven = None
        if self.in_atomic_block:
            self.closed_in_transaction = True
            self.needs_rollback = True
        if raw is not None:
            raw.close()
            if self.pool is not None:
                self.pool.putconn(raw)

    def _refuse_second_scope(self, scope: Scope) -> None:
        if not self._real_blocks():
            self._transaction_scope = None
            return
        if self._transaction_scope is None:
            self._transaction_scope = scope
        elif self._transaction_scope != scope:
            raise ScopeChangedInTransaction(self._transaction_scope, scope)

    def _real_blocks(self) -> bool:
        """Whether a transaction of the product is open; the one that wraps a test does not count."""
        return bool(self.atomic_blocks) and any(not block._from_testcase for block in self.atomic_blocks)

    # -- moments at which the server forgets ---------------------------------------------------------------
    def _forget(self) -> None:
        self._proven = None

    def connect(self) -> None:
        self._forget()
        # Whatever the pool hands out counts as used, so that nothing has to be remembered of a connection in it.
        self._unclean, self._locked = self.pool is not None, False
        super().connect()
        self._untried = True

    def close(self) -> None:
        self._forget()
        super().close()

    def _close(self) -> None:
        if self.connection is not None and self.pool is not None:
            settle(self.connection, unlock=self._locked)
        super()._close()

    def rollback(self) -> None:
        self._forget()
        self._transaction_scope = None
        super().rollback()

    def commit(self) -> None:
        self._transaction_scope = None
        super().commit()

    def savepoint_rollback(self, sid: str) -> None:
        try:
            super().savepoint_rollback(sid)
        finally:
            self._forget()
            if not self._real_blocks():
                self._transaction_scope = None

    def savepoint_commit(self, sid: str) -> None:
        super().savepoint_commit(sid)
        if not self._real_blocks():
            self._transaction_scope = None
