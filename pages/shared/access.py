"""Who may reach this server, as its operator has settled it: address, hosts, `[auth]` and `[gad]` in the secrets."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import streamlit as st

from gad_core.errors import GadError
from gad_core.export.hosts import OWN, answers_to, is_own
from gad_core.workspace.people import Access

_OPEN = "GAD_OPEN"


def access() -> Access | None:
    """The lists of people; None where nobody has to sign in."""
    return Access.of(_section("gad")) if _secured() else None


def providers() -> tuple[str, ...]:
    """Names of the sign-in services, as `st.login` takes them; one without a name is "default"."""
    auth = _section("auth")
    named = tuple(name for name, section in auth.items() if isinstance(section, Mapping) and name != "client_kwargs")
    return (("default",) if "client_id" in auth else ()) + named


def hosts() -> tuple[str, ...]:
    """The names under which this server may be asked for."""
    return tuple(st.get_option("server.allowedHosts")) or OWN


def open_to_all() -> bool:
    """Whether the operator lets in whoever reaches this server, without a sign-in."""
    return os.environ.get(_OPEN) == "1"


def check() -> None:
    """Refuse to serve what nobody would want served; raises `GadError` with the way out."""
    files = [Path(path) for path in st.get_option("secrets.files")]
    if not st.secrets.load_if_toml_exists() and any(path.is_file() for path in files):
        there = ", ".join(str(path) for path in files if path.is_file())
        raise GadError(f"the secrets ({there}) cannot be read, and may ask people to sign in; correct or remove them")
    if access() is None:
        _check_address(st.get_option("server.address") or "0.0.0.0")  # noqa: S104 - as Streamlit takes none
    else:
        _check_sign_in(_section("auth"))


def _check_address(address: str) -> None:
    if is_own(address) or address.startswith("unix:") or open_to_all():
        return
    raise GadError(
        f"whoever reaches {address} could change everything, for nobody has to sign in: configure [auth] (README, "
        f"Serving others), listen on 127.0.0.1, or set {_OPEN}=1 where something else keeps strangers out"
    )


def _check_sign_in(auth: Mapping[str, Any]) -> None:
    if missing := [name for name in ("redirect_uri", "cookie_secret") if not auth.get(name)]:
        raise GadError(f"[auth] in the secrets lacks {' and '.join(missing)}; add what README, Serving others, shows")
    if not providers():
        raise GadError("[auth] in the secrets names no sign-in service; add client_id, client_secret and its address")
    host = urlsplit(auth["redirect_uri"]).netloc
    if not answers_to(host, hosts()):
        raise GadError(
            f"people come back from signing in to {host!r} (redirect_uri in [auth]), which this server does not answer "
            "to; add it to server.allowedHosts"
        )


def _secured() -> bool:
    return bool(st.secrets.load_if_toml_exists() and "auth" in st.secrets)


def _section(name: str) -> dict[str, Any]:
    section = st.secrets.get(name, {})
    if not isinstance(section, Mapping):
        raise GadError(f"[{name}] in the secrets is a table of settings, got {section!r}; correct it")
    return dict(section)
