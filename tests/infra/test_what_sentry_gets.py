"""What leaves for Sentry names nobody and opens nothing."""

import json

from infra.observability import scrub

CANARIES = ["alice@example.com", "s3cret-token", "sessionid=abc", "4242424242424242", "12 Elm Street"]


def test_an_event_carries_no_body_cookie_token_or_person() -> None:
    """PRIV-05, AUN-16: a canary in every field that could hold one."""
    event = {
        "message": "boom",
        "request": {
            "url": "https://acme.portal.example/l/s3cret-token/",
            "method": "POST",
            "data": {"email": "alice@example.com", "card": "4242424242424242"},
            "cookies": {"portal": "sessionid=abc"},
            "query_string": "q=alice@example.com",
            "env": {"REMOTE_ADDR": "12 Elm Street"},
            "headers": {"Cookie": "sessionid=abc", "Referer": "/l/s3cret-token", "Host": "acme.portal.example"},
        },
        "user": {"email": "alice@example.com"},
        "extra": {"address": "12 Elm Street"},
    }
    text = json.dumps(scrub(event))
    assert not [canary for canary in CANARIES if canary in text]
    assert "boom" in text
    assert "acme.portal.example" in text
