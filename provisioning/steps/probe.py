"""Step 7: the web process itself, asked for the new address, answers as this company."""

from __future__ import annotations

import http.client
import json
import time
from typing import Any

from django.conf import settings

from provisioning.steps.base import Result, StepFailed, Task
from tenants.middleware import PROBE_PATH, sign_probe

TRIES = 4
PAUSE = 0.4
TIMEOUT = 5.0


def act(task: Task) -> Result:
    """Ask twice, on two connections, and believe only the company's own signed answer."""
    tenant = task.tenant()
    host = f"{tenant.slug}.{settings.ENV.base_domain}"
    answers = []
    for _ in range(2):
        answer = _ask_until_it_answers(host, str(tenant.pk))
        if answer.get("tenant") != str(tenant.pk) or answer.get("schema") != tenant.schema_name:
            raise StepFailed(f"{host} answered as {answer.get('tenant')}.")
        answers.append(answer)
    return {"host": host, "release": answers[-1].get("release", "")}


def _ask_until_it_answers(host: str, tenant_id: str) -> dict[str, Any]:
    for left in reversed(range(TRIES)):
        try:
            return ask_as_company(host, tenant_id)
        except (OSError, http.client.HTTPException, StepFailed) as error:
            if not left:
                raise StepFailed(f"{host} does not answer yet: {error}") from error
            time.sleep(PAUSE)
    raise AssertionError("the last try returns or raises")


def ask_as_company(host: str, tenant_id: str) -> dict[str, Any]:
    """Ask the web process for its signed answer, on a connection of its own.

    Raises OSError, HTTPException, StepFailed.
    """
    at = int(time.time())
    connection = http.client.HTTPConnection("127.0.0.1", settings.ENV.port, timeout=TIMEOUT)
    try:
        signature = f"{at}:{sign_probe(tenant_id, at)}"
        connection.request("GET", PROBE_PATH, headers={"Host": host, "X-Porchlight-Probe": signature})
        response = connection.getresponse()
        body = response.read(4_000)
    finally:
        connection.close()
    if response.status != http.HTTPStatus.OK:
        raise StepFailed(f"the answer was {response.status}")
    try:
        answer = json.loads(body)
    except ValueError as error:
        raise StepFailed("the answer was not the probe's") from error
    return dict(answer)
