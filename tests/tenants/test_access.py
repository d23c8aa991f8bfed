"""Whether a company's door is open: every combination of the four axes and two switches."""

from itertools import product

import pytest

from tenants.access import Axes, decide_access

OPEN = Axes(
    lifecycle="active",
    was_active=True,
    has_schema=True,
    fingerprint="f",
    holds=(),
    service_mode="normal",
    review="clear",
    portal_entitled=True,
    portal_enabled=True,
)


def change(**axes: object) -> Axes:
    """Return the open axes with some changed."""
    values = {name: getattr(OPEN, name) for name in Axes.__slots__} | axes
    return Axes(**values)  # type: ignore[arg-type]


def test_only_the_product_of_all_axes_opens_the_door() -> None:
    """platform.md 3.3: any one axis closes it."""
    assert decide_access(OPEN).door == "open"
    opened = 0
    for lifecycle, holds, mode, review, entitled, enabled in product(
        ("provisioning", "active", "closing", "archived", "purging", "deleted", "failed"),
        ((), ("billing",), ("abuse", "billing")),
        ("normal", "read_only", "maintenance"),
        ("clear", "under_review", "blocked"),
        (True, False),
        (True, False),
    ):
        access = decide_access(
            change(
                lifecycle=lifecycle,
                holds=holds,
                service_mode=mode,
                review=review,
                portal_entitled=entitled,
                portal_enabled=enabled,
            )
        )
        expected = (
            lifecycle == "active"
            and not holds
            and mode != "maintenance"
            and review != "blocked"
            and entitled
            and enabled
        )
        assert (access.door == "open") == expected
        assert bool(access.reasons) != expected, "a closed door says why"
        opened += expected
    assert opened == 4


@pytest.mark.parametrize(
    ("axes", "door"),
    [
        (change(was_active=False), "unknown"),
        (change(lifecycle="provisioning", was_active=False), "unknown"),
        (change(lifecycle="failed"), "unknown"),
        (change(fingerprint=""), "broken"),
        (change(holds=("abuse",)), "held"),
        (change(service_mode="maintenance"), "maintenance"),
        (change(lifecycle="closing"), "closing"),
        (change(portal_enabled=False), "portal_off"),
        (change(portal_entitled=False), "portal_off"),
    ],
)
def test_each_closed_door_is_the_right_one(axes: Axes, door: str) -> None:
    """ISO-10, ISO-12, PLT-06."""
    assert decide_access(axes).door == door


def test_the_office_works_while_only_the_portal_is_off() -> None:
    """Decided 21."""
    assert decide_access(change(portal_enabled=False)).office_open
    assert not decide_access(change(holds=("billing",))).office_open


def test_the_hold_of_the_office_closes_the_office_alone() -> None:
    """Issue 4.6: an unpaid bill of ours is not the customers' affair; every other hold still closes everything."""
    access = decide_access(change(holds=("office",)))
    assert (access.door, access.office_open) == ("open", False)
    assert decide_access(change(holds=("office",), portal_enabled=False)).door == "portal_off"
    assert decide_access(change(holds=("abuse", "office"))).door == "held"
    assert decide_access(change(holds=("billing", "office"))).reasons == ("billing hold",)
