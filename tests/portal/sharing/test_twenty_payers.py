"""Twenty people pay one invoice at the same moment, over real connections: the money is taken once (F5, F6)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from threading import Barrier

import requests
from django.utils import timezone

from portal.accounts.sessions import cookie_name
from portal.payments.models import Credit, PaymentAttempt
from tests.portal.payments.bench import Bench
from tests.portal.payments.test_pages import form_of
from tests.portal.sharing.making import make_link

PAYERS = 20
WAIT = 60
State = PaymentAttempt.State


@dataclass(frozen=True)
class Told:
    """What one payer was told at the end."""

    status: int
    where: str
    text: str


class Payer:
    """One browser with cookies of its own, on a connection of its own."""

    def __init__(self, bench: Bench, token: str, enter: Callable[[Payer], str]) -> None:
        self.base = f"http://127.0.0.1:{bench.port}"
        self.token = token
        self.http = requests.Session()
        self.http.headers.update({"Host": f"acme.portal.localhost:{bench.port}", "Accept": "text/html"})
        self.url = enter(self)

    def get(self, path: str) -> requests.Response:
        """Open a page."""
        return self.http.get(self.base + path, allow_redirects=False, timeout=WAIT)

    def look(self) -> dict[str, str]:
        """Open the pay page and fill it in."""
        html = self.get(self.url).text
        (csrf,) = set(re.findall(r'name="csrfmiddlewaretoken" value="([^"]+)"', html))
        who = {"name": "Pat", "email": "pat@example.net"}
        return {**form_of(html), **who, "token": self.token, "csrfmiddlewaretoken": csrf}

    def press(self, form: dict[str, str]) -> Told:
        """Press the button."""
        answer = self.http.post(self.base + self.url, form, allow_redirects=False, timeout=WAIT)
        return Told(answer.status_code, answer.headers.get("Location", ""), answer.text)


def all_at_once(bench: Bench, enter: Callable[[int, Payer], str]) -> list[Told]:
    """Have every payer open the page, and then all press the button together."""
    tokens = [bench.token() for _ in range(PAYERS)]
    start = Barrier(PAYERS)

    def pay(index: int) -> Told:
        payer = Payer(bench, tokens[index], lambda each: enter(index, each))
        form = payer.look()
        start.wait(WAIT)
        return payer.press(form)

    with ThreadPoolExecutor(PAYERS) as pool:
        return list(pool.map(pay, range(PAYERS)))


def prove_paid_once(bench: Bench, told: list[Told]) -> None:
    """One charge of what was due; everybody else was told so in words, and nothing is left held."""
    assert bench.charged() == 41250
    assert [intent.status for intent in bench.intents()] == ["succeeded"]
    assert [payment.received_cents for payment in bench.payments()] == [41250]
    invoice = bench.invoice()
    assert (invoice.status, invoice.paid_cents, invoice.reserved_cents, invoice.pending_cents) == ("paid", 41250, 0, 0)
    with bench.acme():
        assert PaymentAttempt.objects.exclude(state=State.SUCCEEDED).count() == 0
        assert Credit.objects.count() == 0
    won = [each for each in told if each.status == 303 and re.search(r"/(paid|result)/[0-9a-f-]{36}$", each.where)]
    lost = [each for each in told if each not in won]
    assert len(won) == 1, Counter((each.status, each.where) for each in told)
    assert {each.status for each in lost} == {409}, Counter((each.status, each.where) for each in lost)
    words = ("being processed right now", "There is nothing left to pay")
    assert all(any(said in each.text for said in words) for each in lost)


def test_twenty_holders_of_one_link_pay_once(live: Bench) -> None:
    """F6, PAY-03: twenty browsers, one link that was passed on."""
    link = make_link()

    def enter(_index: int, payer: Payer) -> str:
        return payer.get(f"/s/{link.token}/pay").headers["Location"]

    prove_paid_once(live, all_at_once(live, enter))


def test_twenty_by_every_door_pay_once(live: Bench) -> None:
    """F6: signed-in people of the account in many tabs, and holders of several links, all for one invoice."""
    links = [make_link() for _ in range(5)]
    sessions = [live.browser().cookies[cookie_name()].value for _ in range(5)]
    invoice = live.invoice().pk

    def enter(index: int, payer: Payer) -> str:
        if index % 2:
            payer.http.headers["Cookie"] = f"{cookie_name()}={sessions[index % 5]}"
            page = payer.get(f"/pay/{invoice}")
            payer.http.headers["Cookie"] += f"; csrf={page.cookies['csrf']}"
            return f"/pay/{invoice}"
        return payer.get(f"/s/{links[index % 5].token}/pay").headers["Location"]

    told = all_at_once(live, enter)
    prove_paid_once(live, told)


def test_one_form_sent_twenty_times_is_one_payment(live: Bench) -> None:
    """F5, PAY-04: the same page pressed over and over, on twenty connections: everybody is led to the one receipt."""
    link = make_link()
    first = Payer(live, live.token(), lambda each: each.get(f"/s/{link.token}/pay").headers["Location"])
    form = first.look()
    start = Barrier(PAYERS)

    def press(_index: int) -> Told:
        start.wait(WAIT)
        again = requests.post(
            first.base + first.url,
            form,
            headers=dict(first.http.headers),
            cookies=first.http.cookies,
            allow_redirects=False,
            timeout=WAIT,
        )
        return Told(again.status_code, again.headers.get("Location", ""), again.text)

    with ThreadPoolExecutor(PAYERS) as pool:
        told = list(pool.map(press, range(PAYERS)))
    assert live.charged() == 41250
    assert len(live.intents()) == 1
    assert {(each.status, each.where) for each in told} == {(303, told[0].where)}
    assert "Paid $412.50" in first.get(told[0].where).text


def test_what_twenty_pay_in_parts_is_never_more_than_was_due(live: Bench) -> None:
    """PAY-05, PAY-08: each pays a part, again and again, until nothing is left."""
    link = make_link()
    tokens = iter([live.token() for _ in range(PAYERS * 4)])
    until = timezone.now() + timedelta(seconds=WAIT)

    def pay(_index: int) -> Counter[int]:
        seen: Counter[int] = Counter()
        for _ in range(4):
            payer = Payer(live, next(tokens), lambda each: each.get(f"/s/{link.token}/pay").headers["Location"])
            if timezone.now() > until or "pay-button" not in payer.get(payer.url).text:
                continue
            seen[payer.press(payer.look() | {"part": "part", "amount": "100.00"}).status] += 1
        return seen

    with ThreadPoolExecutor(PAYERS) as pool:
        total = sum(pool.map(pay, range(PAYERS)), Counter[int]())
    assert set(total) <= {303, 409}, total
    parts = [intent.amount_received for intent in live.intents()]
    assert parts
    assert set(parts) == {10000}
    assert sum(parts) == live.invoice().paid_cents <= 41250
    assert live.invoice().reserved_cents == 0
