"""Where results go beside the screen: a file of JSON lines, a webhook, an MQTT broker.

A sink takes results in batches and raises `GadError` where it could not hand all of a batch on; who sends tries again,
so that a result may come twice, but none is lost.
"""

import json
import os
import re
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from http.client import HTTPException
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

from paho.mqtt.client import Client, MQTTMessageInfo
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode

from gad_core.data.opening import read_regular, refuse_special
from gad_core.errors import GadError

Results = Sequence[Mapping[str, Any]]

TIMEOUT = 10.0  # seconds that a webhook or a broker may take
_PAUSES = (0.2, 1.0, 3.0)  # seconds before each further attempt of a webhook
_PORTS = {"mqtt": 1883, "mqtts": 8883}
_START = '{"time": '  # of every result
_SECRETS = re.compile(r"//[^/?#]*@")
_KEYS = {"path", "sha256"}  # that every result has


class Sink(Protocol):
    """Takes results."""

    def send(self, results: Results) -> None:
        """Hand them on; raises `GadError` where that fails."""

    def close(self) -> None:
        """Let go of files and connections."""


def open_sink(text: str, *, patient: bool = True, allowed: Callable[[Path], object] | None = None) -> Sink:
    """Open a sink by its name: `results.jsonl`, `https://host/path`, or `mqtt://user:password@host:1883/topic`.

    A webhook that asks for a bearer token gets it from `https://token@host/path`.

    Who comes back to what was not sent, and has other work to do meanwhile, is not `patient` with a webhook that fails.
    `allowed` is called with the path of a file and may raise. Raises `GadError` for a name that is none, and where the
    file or the broker cannot be reached.
    """
    scheme = text.partition(":")[0]
    if scheme in {"http", "https"} and _is_address(text) and urlsplit(text).password is None:
        return Webhook(text, pauses=_PAUSES if patient else ())
    if scheme in _PORTS and _is_address(text):
        return Mqtt(text)
    if text.endswith(".jsonl") and "://" not in text:
        if allowed is not None:
            allowed(Path(text))
        return JsonLines(Path(text))
    raise GadError(
        f"{_SECRETS.sub('//', text)!r} is no sink; give a file that ends in .jsonl, a webhook (https://host/path), or "
        "a broker with a topic (mqtt://host/topic)"
    )


class JsonLines:
    """Appends a line a result to a file, on the disk when `send` returns."""

    def __init__(self, path: Path) -> None:
        """Open or make it; half a line, which a process that died has left, is taken away."""
        try:
            refuse_special(path)
            path.parent.mkdir(parents=True, exist_ok=True)
            _heal(path)
            self._file = path.open("ab", buffering=0)
        except OSError as error:
            raise _unwritable(path, error) from error
        self._path = path

    def send(self, results: Results) -> None:
        """Write them as one piece."""
        lines = "".join(json.dumps(dict(result)) + "\n" for result in results)
        rest, end = memoryview(lines.encode()), os.fstat(self._file.fileno()).st_size
        try:
            while rest:
                rest = rest[self._file.write(rest) :]
            os.fsync(self._file.fileno())
        except OSError as error:
            with suppress(OSError):  # half a line must not stand before what is written next
                self._file.truncate(end)
            raise _unwritable(self._path, error) from error

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def read_lines(path: Path) -> list[dict[str, Any]]:
    """The results in a file of JSON lines, none where there is none; raises `GadError` for a file of another kind."""
    try:
        lines = read_regular(path).decode().split("\n") if path.exists() else [""]
        results = [json.loads(line) for line in lines[:-1] if line]
        if (lines[-1] and not lines[-1].startswith(_START)) or not all(result.keys() >= _KEYS for result in results):
            raise ValueError
    except (OSError, ValueError, AttributeError) as error:
        raise GadError(f"{path} does not hold results as JSON lines; choose another file") from error
    return results


class _Stay(urllib.request.HTTPRedirectHandler):
    """Follows nothing: a POST that is sent elsewhere would arrive there without its results."""

    def redirect_request(self, *_: Any) -> None:
        """Let the redirection be an error."""


_OPENER = urllib.request.build_opener(_Stay)


class Webhook:
    """Posts a batch as one JSON object, `{"results": [..]}`, and takes any 2xx for received."""

    def __init__(
        self, url: str, *, pauses: Sequence[float] = _PAUSES, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._url, self._pauses, self._sleep = _SECRETS.sub("//", url), pauses, sleep
        self._headers = {"Content-Type": "application/json"}
        if token := urlsplit(url).username:
            self._headers["Authorization"] = f"Bearer {unquote(token)}"

    def send(self, results: Results) -> None:
        """Post them, several times if need be."""
        body = json.dumps({"results": [dict(result) for result in results]}).encode()
        for pause in (*self._pauses, None):
            try:
                self._post(body)
            except (OSError, HTTPException, ValueError) as error:
                if pause is None or _is_refusal(error):
                    name = _without_secrets(self._url)
                    raise GadError(f"the webhook {name} does not take results ({error})") from error
                self._sleep(pause)
            else:
                return

    def close(self) -> None:
        """Nothing stays open."""

    def _post(self, body: bytes) -> None:
        request = urllib.request.Request(self._url, body, self._headers)  # noqa: S310 - `open_sink` admits these
        with _OPENER.open(request, timeout=TIMEOUT):
            pass


class Mqtt:
    """Publishes a message a result, each acknowledged by the broker (quality of service 1)."""

    def __init__(self, url: str) -> None:
        """Connect; raises `GadError` for a name without a topic and where no broker answers."""
        parts = urlsplit(url)
        self._topic, self._name = unquote(parts.path.strip("/")), _without_secrets(url)
        if not parts.hostname or not self._topic or parts.fragment or "+" in self._topic:  # "#" begins a fragment
            raise GadError(f"{self._name} names no topic to publish to; write mqtt://host/line/results")
        self._client = Client(CallbackAPIVersion.VERSION2)
        if parts.username:
            self._client.username_pw_set(unquote(parts.username), unquote(parts.password or ""))
        if parts.scheme == "mqtts":
            self._client.tls_set()
        self._answered, self._reason = threading.Event(), ""
        self._pending: dict[str, MQTTMessageInfo] = {}  # handed over and not acknowledged
        self._client.on_connect = self._connected
        try:
            self._client.connect(parts.hostname, parts.port or _PORTS[parts.scheme])
        except OSError as error:
            raise GadError(f"no broker answers at {self._name} ({error}); start it, or check host and port") from error
        self._client.loop_start()
        if not self._answered.wait(TIMEOUT) or self._reason:
            self.close()
            raise GadError(f"the broker {self._name} refuses the connection ({self._reason or 'no answer'})")

    def send(self, results: Results) -> None:
        """Publish them and wait until the broker has all."""
        if not self._client.is_connected():
            raise GadError(f"the broker {self._name} does not answer; results wait until it does")
        texts = [json.dumps(dict(result)) for result in results]
        for text in texts:  # what was not acknowledged is sent again by the client itself
            if text not in self._pending:
                self._pending[text] = self._client.publish(self._topic, text, qos=1)
        sent = [self._pending[text] for text in texts]
        end = time.monotonic() + TIMEOUT
        for message in sent:
            if message.rc == MQTTErrorCode.MQTT_ERR_NO_CONN:  # the connection broke meanwhile; the client keeps it
                message.rc = MQTTErrorCode.MQTT_ERR_SUCCESS
            try:
                message.wait_for_publish(max(end - time.monotonic(), 0.01))
                published = message.is_published()
            except (RuntimeError, ValueError) as error:  # the client has not kept it
                self._pending.clear()
                raise GadError(f"the broker {self._name} takes no results ({error})") from error
            if not published:
                raise GadError(f"the broker {self._name} does not answer; results wait until it does")
        self._pending.clear()

    def close(self) -> None:
        """Say goodbye."""
        self._client.disconnect()
        self._client.loop_stop()

    def _connected(self, _client: Any, _userdata: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        self._reason = str(reason) if reason.is_failure else ""
        self._answered.set()


def _heal(path: Path) -> None:
    """Take away half a result at the end; what else stands there is not ours to cut."""
    if not path.exists():
        return
    with path.open("rb+") as file:
        content = file.read()
        whole = content.rfind(b"\n") + 1
        if content[whole:].startswith(_START.encode()):
            file.truncate(whole)
        elif whole < len(content):
            raise GadError(f"{path} does not hold results as JSON lines; choose another file")


def _is_address(text: str) -> bool:
    """Whether a URL names a host, and a port that can be, in the characters that URLs have."""
    try:
        parts = urlsplit(text)
        return bool(parts.hostname) and parts.port != 0 and text.isascii() and not re.search(r"\s", text)
    except ValueError:
        return False


def _unwritable(path: Path, error: OSError) -> GadError:
    why = error.strerror or error
    return GadError(f"results cannot be written to {path} ({why}); free some space or choose another file")


def _is_refusal(error: Exception) -> bool:
    """Whether the other side has understood and says no: asking again would change nothing."""
    return isinstance(error, urllib.error.HTTPError) and 400 <= error.code < 500 and error.code not in {408, 425, 429}


def _without_secrets(url: str) -> str:
    parts = urlsplit(url)
    host = f"{parts.hostname}:{parts.port}" if parts.port else str(parts.hostname)
    return f"{parts.scheme}://{host}{parts.path}"
