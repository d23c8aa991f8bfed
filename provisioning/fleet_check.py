"""Is every schema what the ledger says: by the release table in a blink, by each one's catalogue in a few seconds."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from provisioning.fence import direct_connection
from provisioning.schemas import fingerprint_of
from provisioning.stamps import stamp_of

AT_ONCE = 50

# In the order in which they were made: so their rows lie in the catalogue, and each of its pages is read once.
_ALIVE = """
SELECT s.schema_name FROM provisioning_schemaslot s LEFT JOIN pg_namespace n ON n.nspname = s.schema_name
 WHERE s.state IN ('ready', 'claimed') ORDER BY n.oid
"""
# A schema whose stamp is the stored one was not touched since it was proved.
_TOUCHED = f"""
SELECT s.schema_name, s.fingerprint, s.now FROM (
    SELECT schema_name, fingerprint, stamp, {stamp_of("schema_name")} AS now
      FROM unnest(%s::text[]) WITH ORDINALITY AS w (name, place) JOIN provisioning_schemaslot ON schema_name = w.name
     ORDER BY w.place OFFSET 0) s
 WHERE %s OR s.now IS NULL OR s.stamp <> s.now
"""  # noqa: S608
_STAMP = "UPDATE provisioning_schemaslot SET stamp = %s WHERE schema_name = %s AND fingerprint = %s"


@dataclass(frozen=True, slots=True)
class Difference:
    """A schema that is not what the ledger says."""

    schema: str
    what: str


def check_fleet(
    *, connections: int = 2, every_fingerprint: bool = False, watch: Callable[[int], None] | None = None
) -> tuple[int, list[Difference]]:
    """Compare every schema with the ledger; returns how many were looked at, and those that differ.

    What was touched since its last proof, or everything if asked for, is proved by its fingerprint and stamped anew.
    `watch` is told now and then how many are done. Needs the schemas' owner's login.
    """
    with direct_connection("none") as conn:
        names = [name for (name,) in conn.execute(_ALIVE).fetchall()]
    looked_at: list[str] = []
    portions = [names[first : first + AT_ONCE] for first in range(0, len(names), AT_ONCE)]

    def look(portions: list[list[str]]) -> list[Difference]:
        found = []
        with direct_connection("none") as conn:
            for portion in portions:
                for name, digest, stamp in conn.execute(
                    _TOUCHED, [portion, every_fingerprint], prepare=True
                ).fetchall():
                    if stamp is None:
                        found.append(Difference(name, "is not there"))
                    elif conn.execute(fingerprint_of(name)).fetchall() != [(digest,)]:
                        found.append(Difference(name, "is not as its release"))
                    else:
                        conn.execute(_STAMP, [stamp, name, digest])
                looked_at.extend(portion)
                if watch:
                    watch(len(looked_at))
        return found

    with ThreadPoolExecutor(connections) as threads:
        shares = [portions[number::connections] for number in range(connections)]
        differences = [each for share in threads.map(look, shares) for each in share]
    return len(names), sorted(differences, key=lambda each: each.schema)
