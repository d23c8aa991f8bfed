"""A slash too many or too few is put right; whatever is hidden stays hidden."""

import pytest

from tests.conftest import HostClient


@pytest.mark.parametrize(
    ("host", "typed", "found"),
    [
        ("acme.portal.localhost", "/office?q=1", "/office/?q=1"),
        ("acme.portal.localhost", "/office/customers/", "/office/customers"),
        ("acme.portal.localhost", "/sign-in/", "/sign-in"),
        ("portal.localhost", "/signup", "/signup/"),
        ("console.localhost", "/tenants", "/tenants/"),
    ],
)
def test_a_wrong_slash_leads_to_the_page(db: None, host: str, typed: str, found: str) -> None:
    """WEB-06: the redirect stays on the host."""
    answer = HostClient(host).get(typed)
    assert (answer.status_code, answer["Location"]) == (302, found)


@pytest.mark.parametrize("typed", ["/nothing", "/nothing/", "/invoices/x.css"])
def test_what_is_nowhere_stays_nowhere(db: None, typed: str) -> None:
    """WEB-10: no guess leads to a page."""
    assert HostClient("acme.portal.localhost").get(typed).status_code == 404


def test_a_form_is_not_sent_on(db: None) -> None:
    """A POST to a wrong address loses nothing silently: it is a 404."""
    assert HostClient("acme.portal.localhost").post("/sign-in/", {"email": "x@example.com"}).status_code == 404
