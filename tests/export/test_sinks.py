"""Results reach a file, a webhook and a broker, and none is lost where one of these is away for a while."""

import json
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from gad_core.errors import GadError
from gad_core.export.delivery import Delivery
from gad_core.export.sinks import JsonLines, Mqtt, Webhook, open_sink, read_lines

RESULTS = [{"time": "t", "path": f"{i}\u2028.png", "sha256": f"{i}", "score": i / 7} for i in range(3)]


class Hook:
    """A web server that answers with the statuses it is told, and keeps what it took with 200."""

    def __init__(self, *statuses: int | tuple[int, str]) -> None:
        self.taken, self.asked, statuses_left = [], 0, list(statuses)
        self.authorization: str | None = None

        class Handler(BaseHTTPRequestHandler):
            def do_POST(handler) -> None:  # noqa: N805 - the library's name, and `self` is the hook
                body = handler.rfile.read(int(handler.headers["Content-Length"]))
                status = statuses_left.pop(0) if statuses_left else 200
                status, place = status if isinstance(status, tuple) else (status, "")
                self.asked += 1
                self.authorization = handler.headers["Authorization"]
                if status == 200:
                    self.taken += json.loads(body)["results"]
                handler.send_response(status)
                if place:
                    handler.send_header("Location", place)
                handler.end_headers()

            def log_message(handler, *_: object) -> None:  # noqa: N805 - the same
                """Say nothing."""

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def hook() -> Iterator[type[Hook]]:
    made: list[Hook] = []

    def make(*statuses: int | tuple[int, str]) -> Hook:
        made.append(Hook(*statuses))
        return made[-1]

    yield make
    for one in made:
        one.server.shutdown()
        one.server.server_close()


def test_a_file_of_lines_is_added_to(tmp_path):
    for part in (RESULTS[:1], RESULTS[1:]):
        sink = open_sink(str(tmp_path / "deep" / "results.jsonl"))
        sink.send(part)
        sink.close()
    assert read_lines(tmp_path / "deep" / "results.jsonl") == RESULTS


def test_half_a_line_that_a_kill_has_left_is_taken_away(tmp_path):
    path = tmp_path / "results.jsonl"
    path.write_bytes(json.dumps(RESULTS[0]).encode() + b'\n{"time": "t", "path": "1.p')
    assert read_lines(path) == RESULTS[:1]
    sink = JsonLines(path)
    sink.send(RESULTS[1:])
    sink.close()
    assert read_lines(path) == RESULTS


def test_a_file_of_another_kind_is_refused(tmp_path):
    path = tmp_path / "other.jsonl"
    for content in ("hello\n", '{"precious": 1}', '{"precious": 1}\n', "[1]\n"):
        path.write_text(content)
        with pytest.raises(GadError, match="does not hold results"):
            read_lines(path)
    path.write_text('{"precious": 1}')
    with pytest.raises(GadError, match="does not hold results"):
        JsonLines(path)
    assert path.read_text() == '{"precious": 1}'


def test_a_write_that_fails_leaves_no_half_line(tmp_path, monkeypatch):
    sink = JsonLines(tmp_path / "results.jsonl")
    sink.send(RESULTS[:1])
    file = sink._file

    class Full:
        """A disk that is full after ten bytes."""

        def write(self, data: memoryview) -> int:
            file.write(data[:10])
            raise OSError(28, "No space left on device")

        def __getattr__(self, name: str) -> object:
            return getattr(file, name)

    monkeypatch.setattr(sink, "_file", Full())
    with pytest.raises(GadError, match="No space left"):
        sink.send(RESULTS[1:])
    monkeypatch.undo()
    sink.send(RESULTS[1:])
    sink.close()
    assert read_lines(tmp_path / "results.jsonl") == RESULTS


@pytest.mark.parametrize(
    "text",
    [
        "results.csv",
        "ftp://host/x.jsonl",
        "http://",
        "http://[bad/t",
        "http://user:secret@host/x",
        "http://host/a b",
        "mqtt://host:port/t",
        "mqtt://host:99999/t",
        "mqtt://host",
        "mqtt://host/a/+",
        "",
    ],
)
def test_what_is_no_sink_is_refused_with_the_ways_that_there_are(text):
    with pytest.raises(GadError, match=r"give a file that ends in \.jsonl|names no topic"):
        open_sink(text)


def test_a_folder_that_cannot_be_written_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(GadError, match="choose another file"):
        open_sink(str(tmp_path / "file" / "results.jsonl"))


def test_a_webhook_that_stumbles_is_asked_again(hook):
    server, pauses = hook(500, 429), list[float]()
    Webhook(server.url, pauses=(0.1, 0.2, 0.3), sleep=pauses.append).send(RESULTS)
    assert (server.taken, pauses) == (RESULTS, [0.1, 0.2])


def test_a_webhook_that_says_no_is_not_asked_again(hook):
    server = hook(403)
    with pytest.raises(GadError, match=r"does not take results.*403"):
        Webhook(server.url, sleep=lambda _: None).send(RESULTS)
    assert server.asked == 1


def test_a_webhook_that_moved_is_not_followed_without_its_results(hook):
    there = hook()
    server = hook((302, there.url))
    with pytest.raises(GadError, match="302"):
        Webhook(server.url, pauses=()).send(RESULTS)
    assert (there.asked, server.taken) == (0, [])


def test_a_webhook_hears_its_token(hook):
    server = hook()
    open_sink(server.url.replace("://", "://gehe%69m@")).send(RESULTS)
    assert (server.taken, server.authorization) == (RESULTS, "Bearer geheim")


def test_the_end_says_how_many_results_were_not_handed_on(hook, caplog):
    server = hook(*[503] * 9)
    delivery = Delivery(Webhook(server.url, pauses=()))
    delivery.put(RESULTS)
    delivery.close()
    assert "3 results were not handed on" in caplog.text


def test_whatever_a_sink_raises_its_results_wait():
    class Odd:
        def __init__(self) -> None:
            self.taken: list = []
            self.asked = 0

        def send(self, results) -> None:
            self.asked += 1
            if self.asked == 1:
                raise ValueError("odd")
            self.taken += results

        def close(self) -> None:
            """Nothing to close."""

    odd = Odd()
    delivery = Delivery(odd)
    delivery.put(RESULTS)
    deadline = time.monotonic() + 30
    while not odd.taken and time.monotonic() < deadline:
        time.sleep(0.02)
    delivery.close()
    assert (odd.taken[0], delivery.dropped) == (RESULTS[0], 0)


@pytest.mark.parametrize("address", ["127.0.0.1:1/line", "127.0.0.1:port/line"])
def test_an_error_names_no_password(address):
    with pytest.raises(GadError, match=address) as error:
        open_sink(f"mqtt://ada:geheim@{address}")
    assert "geheim" not in str(error.value)


def test_an_error_names_what_does_not_answer():
    with pytest.raises(GadError) as error:
        open_sink("mqtt://ada:geheim@127.0.0.1:1/line")
    assert "no broker answers at mqtt://127.0.0.1:1/line" in str(error.value)


def test_what_a_sink_does_not_take_waits_until_it_does(hook):
    server = hook(503, 503, 503)
    delivery = Delivery(Webhook(server.url, pauses=(), sleep=lambda _: None))
    delivery.put(RESULTS)
    deadline = time.monotonic() + 60
    while len(server.taken) < 3 and time.monotonic() < deadline:
        time.sleep(0.02)
    assert (server.taken, delivery.dropped) == (RESULTS, 0)
    delivery.close()


def test_what_finds_no_room_is_counted():
    class Stuck:
        def __init__(self) -> None:
            self.gone = threading.Event()

        def send(self, results) -> None:  # noqa: ARG002 - a sink's signature
            self.gone.wait(60)

        def close(self) -> None:
            """Nothing to close."""

    stuck = Stuck()
    delivery = Delivery(stuck, waiting=5)
    delivery.put(RESULTS * 10)
    assert 20 <= delivery.dropped <= 25  # five wait, and up to as many are in hand
    stuck.gone.set()
    delivery.close()


class Broker:
    """A real MQTT broker."""

    def __init__(self, folder: Path) -> None:
        self._program = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
        if self._program is None:
            pytest.skip("the broker mosquitto is not installed")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self._config = folder / "mosquitto.conf"
        self._config.write_text(f"listener {self.port} 127.0.0.1\nallow_anonymous true\n")
        self.start()

    def start(self) -> None:
        self._process = subprocess.Popen([self._program, "-c", str(self._config)], stderr=subprocess.DEVNULL)  # noqa: S603 - our own command
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(10)


@pytest.fixture
def broker(tmp_path) -> Iterator[Broker]:
    made = Broker(tmp_path)
    yield made
    made.stop()


@pytest.fixture
def listen(broker) -> Iterator[Callable[[], list]]:
    """Begin to listen to the topic; the list fills with what is published from then on."""
    made: list[Client] = []

    def begin() -> list:
        got, ready = [], threading.Event()
        client = Client(CallbackAPIVersion.VERSION2)
        client.on_connect = lambda *_: client.subscribe("line/results", 1)
        client.on_subscribe = lambda *_: ready.set()
        client.on_message = lambda _client, _data, message: got.append(json.loads(message.payload))
        client.connect("127.0.0.1", broker.port)
        client.loop_start()
        made.append(client)
        assert ready.wait(30)  # a broker keeps nothing for who subscribes later
        return got

    yield begin
    for client in made:
        client.disconnect()
        client.loop_stop()


def until(count: int, got: list) -> None:
    deadline = time.monotonic() + 30
    while len(got) < count and time.monotonic() < deadline:
        time.sleep(0.02)


def test_a_broker_hands_on_every_result(broker, listen):
    got = listen()
    sink = open_sink(f"mqtt://127.0.0.1:{broker.port}/line/results")
    assert isinstance(sink, Mqtt)
    sink.send(RESULTS)
    until(3, got)
    sink.close()
    assert got == RESULTS


def test_attempts_while_a_broker_is_away_do_not_come_again_when_it_is_back(broker, listen):
    sink = open_sink(f"mqtt://127.0.0.1:{broker.port}/line/results")
    broker.stop()
    while sink._client.is_connected():
        time.sleep(0.02)
    for _ in range(5):
        with pytest.raises(GadError, match="the broker"):
            sink.send(RESULTS)
    broker.start()
    got = listen()
    while not sink._client.is_connected():
        time.sleep(0.02)
    sink.send(RESULTS)
    sink.send([{"path": "last.png"}])
    until(4, got)
    sink.close()
    assert got == [*RESULTS, {"path": "last.png"}]


def test_a_connection_that_breaks_at_a_publish_does_not_shut_the_sink_for_good(broker, listen, monkeypatch):
    sink = open_sink(f"mqtt://127.0.0.1:{broker.port}/line/results")
    broker.stop()
    while sink._client.is_connected():
        time.sleep(0.02)
    monkeypatch.setattr("gad_core.export.sinks.TIMEOUT", 0.5)
    monkeypatch.setattr(sink._client, "is_connected", lambda: True)  # so it was when it was asked
    with pytest.raises(GadError, match="the broker"):
        sink.send(RESULTS)
    monkeypatch.undo()
    broker.start()
    while not sink._client.is_connected():
        time.sleep(0.02)
    got = listen()
    sink.send(RESULTS)
    sink.send([{"path": "last.png"}])
    until(1, got)
    sink.close()
    assert got[-1] == {"path": "last.png"}
