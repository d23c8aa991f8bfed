"""The same settings and flags through OpenFeature, for libraries that ask in its words (platform.md 3.9).

The company is the one this thread serves now, told by the open scope: there is no context to set, none to forget.
Nothing of OpenFeature is loaded by a process that does not import this module.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import TypeVar

from openfeature import api
from openfeature.client import OpenFeatureClient
from openfeature.evaluation_context import EvaluationContext
from openfeature.event import ProviderEventDetails
from openfeature.exception import ErrorCode
from openfeature.flag_evaluation import FlagResolutionDetails, FlagValueType, Reason
from openfeature.provider import AbstractProvider
from openfeature.provider.metadata import Metadata

from tenants.config.snapshot import Snapshot, current_snapshot, forget_listener, on_change

T = TypeVar("T")
DOMAIN = "porchlight"
Objects = Sequence[FlagValueType] | Mapping[str, FlagValueType]


@cache
def client() -> OpenFeatureClient:
    """Return a client of our provider; the first call in a process puts the provider in place."""
    api.set_provider_and_wait(SettingsProvider(), DOMAIN)
    return api.get_client(DOMAIN)


class SettingsProvider(AbstractProvider):
    """Answers from the snapshot of the request or task that asks; every key of the registry is a flag here."""

    def get_metadata(self) -> Metadata:
        """Return our name."""
        return Metadata(name=DOMAIN)

    def initialize(self, evaluation_context: EvaluationContext) -> None:
        """Begin to tell of changes that this process meets."""
        on_change(self._tell)

    def shutdown(self) -> None:
        """End that."""
        forget_listener(self._tell)

    def _tell(self, snapshot: Snapshot, changed: frozenset[str]) -> None:
        """Hand on which keys a company's newer version changed; handlers run on a thread that serves nobody."""
        self.emit_provider_configuration_changed(
            ProviderEventDetails(flags_changed=sorted(changed), metadata=_facts(snapshot))
        )

    def resolve_boolean_details(
        self, flag_key: str, default_value: bool, evaluation_context: EvaluationContext | None = None
    ) -> FlagResolutionDetails[bool]:
        """Return a switch or a flag."""
        return _resolve(flag_key, default_value, (bool,), evaluation_context)

    def resolve_string_details(
        self, flag_key: str, default_value: str, evaluation_context: EvaluationContext | None = None
    ) -> FlagResolutionDetails[str]:
        """Return a text or a choice."""
        return _resolve(flag_key, default_value, (str,), evaluation_context)

    def resolve_integer_details(
        self, flag_key: str, default_value: int, evaluation_context: EvaluationContext | None = None
    ) -> FlagResolutionDetails[int]:
        """Return a whole number."""
        return _resolve(flag_key, default_value, (int,), evaluation_context)

    def resolve_float_details(
        self, flag_key: str, default_value: float, evaluation_context: EvaluationContext | None = None
    ) -> FlagResolutionDetails[float]:
        """Return a number."""
        return _resolve(flag_key, default_value, (int, float), evaluation_context)

    def resolve_object_details(
        self, flag_key: str, default_value: Objects, evaluation_context: EvaluationContext | None = None
    ) -> FlagResolutionDetails[Objects]:
        """Return a structure."""
        return _resolve(flag_key, default_value, (dict, list), evaluation_context)


def _resolve(
    key: str, default: T, kinds: tuple[type, ...], asked_for: EvaluationContext | None
) -> FlagResolutionDetails[T]:
    snapshot = current_snapshot()
    if snapshot is None:
        return _refuse(default, ErrorCode.TARGETING_KEY_MISSING, "No company is being served here.")
    if asked_for and asked_for.targeting_key not in (None, "", str(snapshot.tenant_id)):
        return _refuse(default, ErrorCode.INVALID_CONTEXT, "Another company is being served here.")
    found = snapshot.found.get(key)
    if found is None:
        return _refuse(default, ErrorCode.FLAG_NOT_FOUND, f"{key} is not declared.")
    kind = type(found.value)
    if kind not in kinds:
        return _refuse(default, ErrorCode.TYPE_MISMATCH, f"{key} is {kind.__name__}.")
    metadata = _facts(snapshot) | {"layer": found.layer}
    return FlagResolutionDetails(found.value, reason=Reason(found.reason), flag_metadata=metadata)


def _refuse(default: T, code: ErrorCode, message: str) -> FlagResolutionDetails[T]:
    return FlagResolutionDetails(default, error_code=code, error_message=message, reason=Reason.ERROR)


def _facts(snapshot: Snapshot) -> dict[str, bool | int | float | str]:
    config_version, flag_epoch = snapshot.version
    return {"tenant": str(snapshot.tenant_id), "config_version": config_version, "flag_epoch": flag_epoch}
