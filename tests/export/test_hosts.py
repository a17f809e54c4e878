"""The names that a server answers to, however a request writes them."""

import pytest

from gad_core.export.hosts import OWN, answers_to, from_elsewhere, is_own


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:8501", "localhost", "LocalHost.:80", "[::1]", "[::1]:8501"])
def test_this_machine_is_known_by_its_own_names_and_any_port(host):
    assert answers_to(host, OWN)


@pytest.mark.parametrize(
    "host",
    [
        *("", "evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "evil.example:127"),
        *("127.0.0.1@evil.example", "evil@127.0.0.1", "127.0.0.1/evil", "127.0.0.1?x", "127.0.0.1#x", "127.0.0.1:port"),
        *("127.0.0.1:99999", "[::1", "::1", "127.0.0.1, evil.example", "127.0.0.1\tevil", " 127.0.0.1", "127.0.0.2"),
    ],
)
def test_what_only_looks_like_this_machine_is_refused(host):
    assert not answers_to(host, OWN)


def test_a_star_stands_for_what_lies_below_a_name_and_not_for_the_name():
    below = ["*.Example.com"]
    assert answers_to("gad.example.com:443", below)
    assert not answers_to("example.com", below)
    assert not answers_to("evilexample.com", below)
    assert answers_to("anything", ["*"])


@pytest.mark.parametrize(
    ("origin", "foreign"),
    [
        (None, False),
        ("http://127.0.0.1:8501", False),
        ("https://127.0.0.1:8501", False),
        ("http://127.0.0.1:3000", True),
        ("http://localhost:8501", True),
        ("http://evil.example", True),
        ("null", True),
        ("http://[", True),
        ("", True),
    ],
)
def test_a_page_is_at_home_where_host_and_port_are_its_own(origin, foreign):
    assert from_elsewhere(origin, "127.0.0.1:8501") == foreign


@pytest.mark.parametrize("address", ["127.0.0.1", "localhost", "::1", "[::1]", "127.9.9.9"])
def test_an_address_is_this_machines_own_where_no_other_reaches_it(address):
    assert is_own(address)


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "192.0.2.1", "gad.example.com", ""])  # noqa: S104 - not listened on
def test_every_other_address_is_reached_from_elsewhere(address):
    assert not is_own(address)
