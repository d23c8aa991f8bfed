"""Who of us may do what; a role is a set of actions."""

from typing import Final, Literal

from console.models import Operator

Action = Literal["tenants.view", "tenants.hold", "tenants.release", "runs.view", "runs.retry"]

_LOOK: Final = frozenset[Action]({"tenants.view", "runs.view"})
_RUN: Final = _LOOK | {"runs.retry"}
_ALL: Final = _RUN | {"tenants.hold", "tenants.release"}

MAY: Final[dict[str, frozenset[Action]]] = {
    Operator.Role.VIEWER: _LOOK,
    Operator.Role.AUDITOR: _LOOK,
    Operator.Role.SUPPORT: _RUN,
    Operator.Role.BILLING: _LOOK | {"tenants.hold", "tenants.release"},
    Operator.Role.ENGINEER: _ALL,
    Operator.Role.ADMIN: _ALL,
}


def may(operator: Operator, action: Action) -> bool:
    """Whether an operator's role holds an action."""
    return action in MAY[operator.role]
