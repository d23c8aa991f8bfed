"""The environment is read in one place, strictly, and says what is wrong (architecture.md 10)."""

import re
from pathlib import Path

import pytest

from infra.env import EnvError, app_password, database_settings, example, read_env
from infra.env_casts import ROOT

GIVEN = {
    "SECRET_KEY": "k" * 40,
    "DATABASE_URL": "postgresql://owner:pass@db.example:5433/main?sslmode=require",
    "REDIS_URL": "redis://cache.example",
}


def test_three_values_are_enough() -> None:
    env = read_env(GIVEN)
    assert (env.port, env.debug, env.demo, env.public_port) == (8000, False, False, None)
    assert env.public_scheme == "https"


def test_what_is_missing_is_named_all_at_once() -> None:
    with pytest.raises(EnvError) as caught:
        read_env({})
    assert [problem.split()[0] for problem in caught.value.problems] == [
        "SECRET_KEY",
        "DATABASE_URL",
        "REDIS_URL",
    ]


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("PORT", "80a", "a port number from 1 to 65535"),
        ("PORT", "0", "a port number from 1 to 65535"),
        ("PORT", "70000", "a port number from 1 to 65535"),
        ("PORT", "٣", "a port number from 1 to 65535"),
        ("DEBUG", "maybe", "true or false"),
        ("TRUSTED_PROXY_HOPS", "-1", "a whole number, 0 or more"),
        ("BASE_DOMAIN", "https://portal.example", "a host name without scheme, port or path"),
        ("CONSOLE_HOST", "console.example:8000", "a host name without scheme, port or path"),
        ("PUBLIC_SCHEME", "ftp", "one of http, https"),
        ("DATABASE_LOGIN", "root", "one of app, owner"),
        ("LOG_LEVEL", "loud", "one of DEBUG, INFO, WARNING, ERROR"),
        ("STRIPE_API_BASE", "api.stripe.com", "an address that starts with http:// or https://"),
    ],
)
def test_a_wrong_value_is_answered_with_what_was_expected(name: str, value: str, expected: str) -> None:
    with pytest.raises(EnvError) as caught:
        read_env(GIVEN | {name: value})
    assert f'{name} is "{value}"' in str(caught.value)
    assert expected in str(caught.value)
    assert f"See {name} in .env.example." in str(caught.value)


@pytest.mark.parametrize(("name", "value"), [("SECRET_KEY", "hunter2"), ("DATABASE_URL", "mysql://u:hunter2@h/d")])
def test_a_secret_is_never_repeated_in_a_message(name: str, value: str) -> None:
    with pytest.raises(EnvError) as caught:
        read_env(GIVEN | {name: value})
    assert name in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_secrets_do_not_show_in_the_repr() -> None:
    env = read_env(GIVEN | {"STRIPE_SECRET_KEY": "sk_live_hunter2", "EMAIL_URL": "smtp://u:hunter2@mail:587"})
    assert "hunter2" not in repr(env)
    assert "k" * 40 not in repr(env)


@pytest.mark.parametrize(
    ("word", "meaning"), [("true", True), ("YES", True), ("1", True), ("off", False), ("0", False)]
)
def test_flags_take_the_usual_words(word: str, *, meaning: bool) -> None:
    assert read_env(GIVEN | {"DEMO": word}).is_demo is meaning


def test_an_empty_value_counts_as_unset() -> None:
    assert read_env(GIVEN | {"PORT": " ", "LOG_LEVEL": ""}).port == 8000


def test_a_value_may_come_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("f" * 40 + "\n")
    rest = {name: value for name, value in GIVEN.items() if name != "SECRET_KEY"}
    assert read_env(rest | {"SECRET_KEY_FILE": str(tmp_path / "key")}).secret_key == "f" * 40


def test_a_value_and_its_file_together_are_refused(tmp_path: Path) -> None:
    with pytest.raises(EnvError, match="SECRET_KEY and SECRET_KEY_FILE are both set"):
        read_env(GIVEN | {"SECRET_KEY_FILE": str(tmp_path)})


def test_an_unreadable_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(EnvError, match=r"SENTRY_DSN_FILE is .*nowhere.*cannot be read"):
        read_env(GIVEN | {"SENTRY_DSN_FILE": str(tmp_path / "nowhere")})


def test_lists_are_split_at_commas() -> None:
    env = read_env(GIVEN | {"STRIPE_WEBHOOK_SECRETS_CONNECT": "whsec_new, whsec_old,"})
    assert env.stripe_webhook_secrets_connect == ("whsec_new", "whsec_old")


def test_the_applications_login_is_derived_from_the_owners_address() -> None:
    """The two logins of security.md S2."""
    env = read_env(GIVEN)
    password = app_password(GIVEN["SECRET_KEY"])
    assert env.active_database_url == f"postgresql://porchlight_app:{password}@db.example:5433/main?sslmode=require"
    assert read_env(GIVEN | {"SECRET_KEY": "o" * 40}).database_app_url != env.database_app_url


def test_database_login_picks_the_address() -> None:
    given = GIVEN | {"DATABASE_APP_URL": "postgresql://app@/main?host=%2Frun%2Fpg", "DATABASE_LOGIN": "owner"}
    assert read_env(given).database["USER"] == "owner"
    assert read_env(given | {"DATABASE_LOGIN": "app"}).database["USER"] == "app"


def test_what_django_has_no_key_for_stays_an_option() -> None:
    assert database_settings("postgresql://a:b%2Fc@h:5433/d?sslmode=require&host=%2Frun%2Fpg") == {
        "NAME": "d",
        "USER": "a",
        "PASSWORD": "b/c",
        "HOST": "/run/pg",
        "PORT": "5433",
        "OPTIONS": {"sslmode": "require"},
    }


def test_public_addresses_carry_the_port_only_when_there_is_one() -> None:
    assert read_env(GIVEN).url_for_host("acme.portal.example", "/pay") == "https://acme.portal.example/pay"
    shown = read_env(GIVEN | {"PUBLIC_SCHEME": "http", "PUBLIC_PORT": "8000"})
    assert shown.url_for_host("acme.portal.localhost") == "http://acme.portal.localhost:8000"


def test_the_example_file_lists_every_variable_with_its_default() -> None:
    assert (ROOT / ".env.example").read_text() == example(), "run: python -m infra.env > .env.example"


def test_no_other_module_reads_the_environment() -> None:
    """`up` is the one exception: it composes the environment of what it starts.

    The terminal chooses its login before anything is read; that is a write.
    """
    allowed = {"infra/env.py", "infra/embedded/up.py"}
    reads = re.compile(r"\bos\.(getenv|environ(?!\.setdefault\(\"DJANGO_SETTINGS_MODULE|\[\"DATABASE_LOGIN\"\] = ))")
    guilty = {
        str(path.relative_to(ROOT))
        for top in ("infra", "tenants", "portal", "provisioning", "platform")
        for path in (ROOT / top).rglob("*.py")
        if reads.search(path.read_text())
    }
    assert guilty - allowed == set()
