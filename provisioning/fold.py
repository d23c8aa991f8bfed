"""Says a constraint of a new table where the table is made: checked later it costs a query on every schema."""

from __future__ import annotations

import re
from collections.abc import Sequence

_MADE = re.compile(r'CREATE TABLE "(\w+)" \(.*\)\s*$', re.DOTALL)
_ADDED = re.compile(r'ALTER TABLE "(\w+)" ADD (CONSTRAINT [^;]+)$', re.DOTALL)
_REFERRED = re.compile(r'REFERENCES "(\w+)"')


def fold_constraints(statements: Sequence[str]) -> list[str]:
    """Return statements that mean the same, with constraints as part of the table that an earlier statement makes.

    Whether they do mean the same is for the caller to try.
    """
    made: dict[str, int] = {}
    folded: list[str] = []
    for statement in statements:
        new, added = _MADE.match(statement), _ADDED.match(statement)
        if new:
            made[new[1]] = len(folded)
        if added and added[1] in made:
            place = made[added[1]]
            # What the constraint refers to must be there already when its table is made.
            if all(made.get(table, -1) <= place for table in _REFERRED.findall(added[2])):
                folded[place] = f"{folded[place].rstrip()[:-1]}, {added[2].strip()})"
                continue
        folded.append(statement)
    return folded
