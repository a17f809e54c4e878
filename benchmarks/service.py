"""Images a second of the scoring service against the library's own call, latency, and 1,000 requests by 8 clients.

    python -m benchmarks.service FOLDER [ROUNDS]

FOLDER is a data set in MVTec layout. A detector is fitted to it; then the library scores its test images without a
cache, and the service does, one image a request by 8 clients on the same machine, in turns. The clients send bytes that
were read before, over connections that stay open. Verdicts are held against the library's.
"""

import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path

import numpy as np

_CLIENTS, _REQUESTS = 8, 1000
Answers = list[tuple[int, float, dict]]  # status, seconds, result


def main(folder: str, rounds: str = "3") -> None:
    """Print images a second of both, their ratio, latencies and errors."""
    with tempfile.TemporaryDirectory() as home:
        os.environ["GAD_HOME"] = home
        import gad_core as gad  # noqa: PLC0415 - reads the folder above

        data = gad.read_dataset(folder)
        path = Path(home, "detector.gad")
        gad.fit(data.train).detector.save(path)
        detector, files = gad.load_detector(path), [file.path for file in data.test]
        bodies = [_body(file) for file in files]
        gad.score(detector, files[:4])
        with _Server(path) as server:
            send(server.port, bodies[:8])
            ratios = []
            for turn in range(int(rounds)):
                library = len(files) / _library(gad, detector, files, Path(home, f"{turn}"))
                began = time.perf_counter()
                answers = send(server.port, bodies)
                service = len(files) / (time.perf_counter() - began)
                ratios.append(service / library)
                print(f"library {library:6.1f} images/s, service {service:6.1f}, ratio {ratios[-1]:.2f}")
            print(f"ratio, median of {rounds}: {np.median(ratios):.2f}")
            expected = [row["verdict"] for row in gad.score(detector, files).rows]
            differing = sum(one["verdict"] != wanted for (_, _, one), wanted in zip(answers, expected, strict=True))
            print(f"verdicts that differ from the library's: {differing} of {len(files)}")
            print(f"one client: {_latency(send(server.port, bodies, clients=1))}")
            many = send(server.port, [bodies[i % len(bodies)] for i in range(_REQUESTS)])
            errors = sum(status != 200 for status, _, _ in many)
            print(f"{_REQUESTS} requests by {_CLIENTS} clients: {errors} errors, {_latency(many)}")


def _latency(answers: Answers) -> str:
    median, slow = 1e3 * np.quantile([one[1] for one in answers], [0.5, 0.95])
    return f"latency: median {median:.0f} ms, 95th percentile {slow:.0f} ms"


def send(port: int, bodies: Sequence[bytes], *, clients: int = _CLIENTS) -> Answers:
    """Send every body once, by several clients in turn; answers in the order of the bodies."""
    answers: list = [None] * len(bodies)
    places = iter(range(len(bodies)))
    lock = threading.Lock()

    def client() -> None:
        with closing(HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
            while True:
                with lock:
                    place = next(places, None)
                if place is None:
                    return
                began = time.perf_counter()
                headers = {"Content-Type": "multipart/form-data; boundary=gad"}
                connection.request("POST", "/score", bodies[place], headers)
                response = connection.getresponse()
                content = response.read()
                seconds = time.perf_counter() - began
                images = json.loads(content)["images"] if response.status == 200 else [{}]
                answers[place] = (response.status, seconds, images[0])

    threads = [threading.Thread(target=client) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def _body(path: Path) -> bytes:
    head = f'--gad\r\nContent-Disposition: form-data; name="files"; filename="{path.name}"\r\n\r\n'
    return head.encode() + path.read_bytes() + b"\r\n--gad--\r\n"


def _library(gad, detector, files: Sequence[Path], home: Path) -> float:
    """Seconds that the library's own call takes, nothing known before."""
    os.environ["GAD_HOME"] = str(home)
    began = time.perf_counter()
    gad.score(detector, files)
    return time.perf_counter() - began


class _Server:
    """The service in a process of its own."""

    def __init__(self, detector: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        command = [sys.executable, "-m", "gad_core", "serve", str(detector), "--port", str(self.port)]
        self._process = subprocess.Popen(command, stderr=subprocess.DEVNULL)  # noqa: S603 - our own command

    def __enter__(self) -> "_Server":
        for _ in range(600):
            with closing(HTTPConnection("127.0.0.1", self.port, timeout=5)) as connection:
                try:
                    connection.request("GET", "/live")
                except OSError:
                    time.sleep(0.1)
                    continue
                return self
        raise SystemExit("the service did not come up")

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(20)


if __name__ == "__main__":
    main(*sys.argv[1:])
