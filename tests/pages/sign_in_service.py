"""A small OpenID Connect service, as a company has one: discovery, keys, a page to say who one is, tokens, the way out.

It lets in whoever is chosen and says of them what `PEOPLE` says, with one-time codes, PKCE and signed tokens.
"""

import hashlib
import secrets
import threading
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any
from urllib.parse import urlencode

import uvicorn
from fastapi import FastAPI, Form, HTTPException
from fastapi.responses import HTMLResponse, RedirectResponse
from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT, SECRET = "gad", "of the tests alone"
PEOPLE: dict[str, dict[str, Any]] = {
    "engineer": {"email": "Anna@Example.com", "email_verified": True},
    "viewer": {"email": "ben@example.com", "email_verified": True},
    "stranger": {"email": "carl@elsewhere.org", "email_verified": True},
    "unverified": {"email": "anna@example.com", "email_verified": False},
}


def service(address: str) -> FastAPI:
    """The application, as it is reached at an address."""
    app, key = FastAPI(), RSAKey.generate_key(2048, {"kid": "k", "use": "sig", "alg": "RS256"})
    codes: dict[str, dict[str, str]] = {}

    @app.get("/.well-known/openid-configuration")
    def discovery() -> dict[str, Any]:
        return {
            "issuer": address,
            "authorization_endpoint": f"{address}/authorize",
            "token_endpoint": f"{address}/token",
            "jwks_uri": f"{address}/keys",
            "end_session_endpoint": f"{address}/end",
            "code_challenge_methods_supported": ["S256"],
            "id_token_signing_alg_values_supported": ["RS256"],
        }

    @app.get("/keys")
    def keys() -> dict[str, Any]:
        return {"keys": [key.as_dict(private=False)]}

    @app.get("/authorize")
    def authorize(client_id: str, redirect_uri: str, state: str, nonce: str, code_challenge: str) -> HTMLResponse:
        links = []
        for who in PEOPLE:
            code = secrets.token_urlsafe()
            codes[code] = {"who": who, "nonce": nonce, "challenge": code_challenge, "to": redirect_uri}
            links.append(f'<p><a href="{redirect_uri}?{urlencode({"code": code, "state": state})}">{who}</a>')
        return HTMLResponse(f"<title>Company</title><h1>Who are you?</h1>{''.join(links)}")

    @app.post("/token")
    def token(
        code: Annotated[str, Form()], code_verifier: Annotated[str, Form()], redirect_uri: Annotated[str, Form()]
    ) -> dict[str, Any]:
        given = codes.pop(code, None)
        challenge = urlsafe_b64encode(hashlib.sha256(code_verifier.encode()).digest()).rstrip(b"=").decode()
        if given is None or (given["challenge"], given["to"]) != (challenge, redirect_uri):
            raise HTTPException(400, "invalid_grant")
        issued = int(time.time())
        claims = {"iss": address, "aud": CLIENT, "sub": given["who"], "nonce": given["nonce"], "iat": issued}
        signed = jwt.encode({"alg": "RS256", "kid": "k"}, claims | {"exp": issued + 600} | PEOPLE[given["who"]], key)
        return {"access_token": "a", "token_type": "Bearer", "expires_in": 600, "id_token": signed}

    @app.get("/end")
    def end(post_logout_redirect_uri: str) -> RedirectResponse:
        return RedirectResponse(post_logout_redirect_uri)

    return app


@contextmanager
def serving(port: int) -> Iterator[str]:
    """Serve it in a thread; yields its address."""
    address = f"http://127.0.0.1:{port}"
    server = uvicorn.Server(uvicorn.Config(service(address), port=port, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    try:
        yield address
    finally:
        server.should_exit = True
        thread.join(10)


def secrets_of(address: str, service_address: str) -> str:
    """What an operator writes into `secrets.toml` for a dashboard at an address."""
    return f"""
[auth]
redirect_uri = "{address}/oauth2callback"
cookie_secret = "{secrets.token_hex()}"
client_id = "{CLIENT}"
client_secret = "{SECRET}"
server_metadata_url = "{service_address}/.well-known/openid-configuration"

[gad]
engineers = ["anna@example.com"]
viewers = ["*@example.com"]
"""
