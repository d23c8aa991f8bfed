"""Who of us may do what; a role is a set of actions."""

from typing import Final, Literal

from console.models import Operator

Action = Literal[
    "tenants.view",
    "tenants.hold",
    "tenants.release",
    "runs.view",
    "runs.retry",
    "webhooks.view",
    "webhooks.replay",
    "billing.extend",
]

_LOOK: Final = frozenset[Action]({"tenants.view", "runs.view", "webhooks.view"})
_RUN: Final = _LOOK | frozenset[Action]({"runs.retry", "webhooks.replay"})
_BILL: Final = frozenset[Action]({"billing.extend"})
_HOLD: Final = frozenset[Action]({"tenants.hold", "tenants.release"})

MAY: Final[dict[str, frozenset[Action]]] = {
    Operator.Role.VIEWER: _LOOK,
    Operator.Role.AUDITOR: _LOOK,
    Operator.Role.SUPPORT: _RUN,
    Operator.Role.BILLING: _LOOK | _HOLD | _BILL,
    Operator.Role.ENGINEER: _RUN | _HOLD,
    Operator.Role.ADMIN: _RUN | _HOLD | _BILL,
}


def may(operator: Operator, action: Action) -> bool:
    """Whether an operator's role holds an action."""
    return action in MAY[operator.role]
