"""A service says of images what the library says, refuses what it must, and hands every result on once."""

import asyncio
import json
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from urllib.request import Request, urlopen

import numpy as np
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from gad_core.command_line.serve import hosts_of
from gad_core.data.datasets import read_dataset
from gad_core.errors import GadError
from gad_core.export import service as service_module
from gad_core.export.hosts import answers_to
from gad_core.export.scoring import Overloaded, Scorer
from gad_core.export.service import Service, make_app
from gad_core.export.sinks import JsonLines, read_lines
from gad_core.features.engines import load_engine
from gad_core.gaussian.detector import Detector
from gad_core.gaussian.fit import fit_images
from gad_core.gaussian.settings import FitSettings
from gad_core.gaussian.tuning import Tuning, WorkingPoint
from gad_core.library.judging import score

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def detector(stripes) -> Detector:
    return fit_images(read_dataset(stripes).train, load_engine(FitSettings().backbone), FitSettings()).detector


@pytest.fixture
def client(detector, tmp_path) -> Iterator[TestClient]:
    scorer = Scorer(detector, load_engine(detector.backbone))
    service = Service(scorer, "stripes", "d1", sinks=[JsonLines(tmp_path / "results.jsonl")])
    with asking(make_app(service)) as client:
        yield client


def asking(app: FastAPI, **options: bool) -> TestClient:
    """A client that asks as one on this machine does."""
    return TestClient(app, base_url="http://127.0.0.1:8600", **options)


def parts(stripes: Path) -> list[Path]:
    return sorted((stripes / "test").rglob("*.png"))


def send(client: TestClient, paths: list[Path], **query: object):
    files = [("files", (str(path.relative_to(path.parents[1])), path.read_bytes(), "image/png")) for path in paths]
    return client.post("/score", files=files, params=query)


def test_it_says_what_the_library_says(client, detector, stripes):
    answer = send(client, parts(stripes)).json()
    expected = score(detector, parts(stripes)).rows
    np.testing.assert_allclose(
        [one["score"] for one in answer["images"]], [row["score"] for row in expected], rtol=1e-9
    )
    for name in ("p_value", "threshold", "anomalous", "verdict"):
        assert [one[name] for one in answer["images"]] == [row[name] for row in expected]
    assert answer["refused"] == []


def test_what_is_no_image_is_refused_and_the_rest_is_judged(client, stripes, tmp_path):
    (bad := tmp_path / "good" / "bad.png").parent.mkdir()
    bad.write_bytes(b"\x89PNG\r\n\x1a\n cut off")
    answer = send(client, [bad, *parts(stripes)[:2]]).json()
    assert [one["path"] for one in answer["refused"]] == ["good/bad.png"]
    assert len(answer["images"]) == 2


def test_an_image_may_be_the_whole_body(client, stripes):
    path = parts(stripes)[0]
    (sent,) = send(client, [path]).json()["images"]
    answer = client.post(
        "/score", content=path.read_bytes(), params={"name": sent["path"]}, headers={"Content-Type": "image/png"}
    )
    assert answer.json() == {"images": [sent], "refused": []}


def test_a_name_that_is_no_text_is_judged_and_handed_on(client, stripes, tmp_path):
    image = parts(stripes)[0].read_bytes()
    body = (
        b'--x\r\nContent-Disposition: form-data; name="files"; filename="+2AA-.png"\r\n\r\n' + image + b"\r\n--x--\r\n"
    )
    kind = "multipart/form-data; boundary=x; charset=utf-7"  # in which +2AA- is half a surrogate pair
    answer = client.post("/score", content=body, headers={"Content-Type": kind})
    assert [one["path"] for one in answer.json()["images"]] == ["?.png"]


@pytest.mark.parametrize(("tuning", "expected"), [(None, 7), (Tuning((3, 2)), 3), (Tuning((9,)), 9)])
def test_the_network_is_run_no_further_than_the_tuning_reads(tuning, expected, detector, stripes):
    detector, ends = replace(detector, tuning=tuning or detector.tuning), []
    engine = load_engine(detector.backbone)

    class Watched:
        network = engine.network

        def stream(self, pixels, *, regions=None, up_to=None):
            ends.append((regions, up_to))
            return engine.stream(pixels, regions=regions, up_to=up_to)

    scorer, path = Scorer(detector, Watched()), parts(stripes)[0]
    found = scorer.submit(path.read_bytes()).result()
    scorer.close()
    assert ends == [(None if tuning else detector.regions, expected)]
    assert found.score == pytest.approx(score(detector, [path]).rows[0]["score"], rel=1e-5)


def test_a_failure_is_counted_as_500(detector, monkeypatch, stripes):
    def broken(self, data):
        raise ZeroDivisionError

    monkeypatch.setattr(Scorer, "submit", broken)
    scorer = Scorer(detector, load_engine(detector.backbone))
    with asking(make_app(Service(scorer, "stripes")), raise_server_exceptions=False) as client:
        assert send(client, parts(stripes)[:1]).status_code == 500
        assert 'gad_requests_total{path="/score",status="500"} 1.0' in client.get("/metrics").text


def test_without_the_token_no_body_is_read(detector):
    scorer = Scorer(detector, load_engine(detector.backbone))
    token = "geheim"  # noqa: S105 - of this test alone
    app, said = make_app(Service(scorer, "stripes", token=token)), []

    async def receive():
        pytest.fail("the body was read")

    async def send(message):
        said.append(message)

    headers = [
        (b"host", b"127.0.0.1"),
        (b"content-length", b"9"),
        (b"content-type", b"multipart/form-data; boundary=x"),
        (b"authorization", b"Bearer wrong"),
    ]
    scope = {"type": "http", "method": "POST", "path": "/score", "headers": headers, "query_string": b""}
    asyncio.run(app(scope, receive, send))
    scorer.close()
    assert said[0]["status"] == 401


def test_the_map_of_regions_is_given_when_asked_for(client, detector, stripes):
    path = parts(stripes)[:1]
    assert send(client, path).json()["images"][0]["regions"] is None
    (found,) = send(client, path, regions=True).json()["images"]
    features = score(detector, path).features
    np.testing.assert_allclose(found["regions"], detector.region_maps(features, detector.tuning)[0], rtol=1e-6)


def test_health_names_fit_threshold_and_decision(client, detector):
    health = client.get("/health").json()
    assert (health["version"], health["decision"], health["adopted"]) == (detector.version, "d1", False)
    assert (health["method"], health["target_fpr"], health["sinks"]) == ("cross-conformal", 0.05, [])
    assert client.get("/live").json() == {"status": "ok"}


def test_it_counts_what_it_does(client, stripes):
    answer = send(client, parts(stripes)).json()
    client.post("/score", files=[("files", ("bad.png", b"nothing", "image/png"))])
    client.get("/nowhere")
    text = client.get("/metrics").text
    flagged = sum(one["anomalous"] for one in answer["images"])
    assert f'gad_images_total{{verdict="anomalous"}} {float(flagged)}' in text
    assert 'gad_requests_total{path="/score",status="200"} 2.0' in text
    assert "gad_refused_total 1.0" in text
    assert 'gad_requests_total{path="other",status="404"} 1.0' in text
    assert re.search(r"gad_score_ratio_count 16\.0", text)


def test_within_an_adopted_review_band_a_person_decides(detector, stripes):
    scores = sorted(row["score"] for row in score(detector, parts(stripes)).rows)
    low, high = (scores[3] + scores[4]) / 2, (scores[9] + scores[10]) / 2
    point = WorkingPoint("cross-conformal", 0.05, low, 30, "by hand", reject_above=high, reject_fpr=0.01)
    adopted = replace(detector, working_point=point)
    scorer = Scorer(adopted, load_engine(detector.backbone))
    with asking(make_app(Service(scorer, "stripes"))) as client:
        images = send(client, parts(stripes)).json()["images"]
        health = client.get("/health").json()
    verdicts = [one["verdict"] for one in sorted(images, key=lambda one: one["score"])]
    assert verdicts == ["good"] * 4 + ["review"] * 6 + ["anomalous"] * 6
    assert all(one["anomalous"] == (one["verdict"] != "good") for one in images)
    assert (health["adopted"], health["reject_above"]) == (True, high)


def test_every_result_goes_to_the_sink_once(detector, stripes, tmp_path):
    scorer = Scorer(detector, load_engine(detector.backbone))
    service = Service(scorer, "stripes", sinks=[JsonLines(tmp_path / "results.jsonl")])
    with asking(make_app(service)) as client:
        send(client, parts(stripes)[:9], lot="7")
        send(client, parts(stripes)[9:])
    lines = read_lines(tmp_path / "results.jsonl")
    assert [line["path"] for line in lines] == [str(path.relative_to(path.parents[1])) for path in parts(stripes)]
    assert [line["lot"] for line in lines] == ["7"] * 9 + [None] * 7
    assert {line["detector_version"] for line in lines} == {detector.version}


def test_a_token_is_asked_for_everywhere_but_at_the_pulse(detector, stripes):
    scorer = Scorer(detector, load_engine(detector.backbone))
    token = "geheim"  # noqa: S105 - of this test alone
    with asking(make_app(Service(scorer, "stripes", token=token))) as client:
        path = parts(stripes)[:1]
        assert send(client, path).status_code == 401
        assert client.get("/metrics", headers={"Authorization": "Bearer wrong"}).status_code == 401
        assert client.get("/live").status_code == 200
        client.headers["Authorization"] = f"Bearer {token}"
        assert send(client, path).status_code == 200
        assert "HTTPBearer" in client.get("/openapi.json").json()["components"]["securitySchemes"]


def test_too_much_is_refused_before_it_is_read(client, monkeypatch, stripes):
    monkeypatch.setattr(service_module, "MAX_BYTES", 1000)
    answer = send(client, parts(stripes)[:3])
    assert (answer.status_code, "at most" in answer.text) == (413, True)
    monkeypatch.undo()
    monkeypatch.setattr(service_module, "MAX_FILES", 2)
    assert send(client, parts(stripes)[:3]).status_code == 413
    assert client.post("/score", content=iter([b"x"])).status_code == 411
    assert client.post("/score", data={"other": "1"}).status_code == 422


def test_where_too_many_wait_the_client_is_told_to_come_again(client, monkeypatch, stripes):
    def full(self, data):
        raise Overloaded("many images wait already; send this one again in a second")

    monkeypatch.setattr(Scorer, "submit", full)
    answer = send(client, parts(stripes)[:1])
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")


def test_many_at_once_get_their_own_answers(client, detector, stripes):
    expected = {row["path"]: row["verdict"] for row in score(detector, parts(stripes)).rows}

    def ask(path: Path) -> tuple[str, str]:
        (one,) = send(client, [path]).json()["images"]
        return one["path"], one["verdict"]

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(ask, parts(stripes) * 4))
    wanted = [(str(path.relative_to(path.parents[1])), expected[str(path)]) for path in parts(stripes) * 4]
    assert answers == wanted


def test_what_was_taken_in_is_answered_before_the_end(detector, stripes):
    scorer = Scorer(detector, load_engine(detector.backbone))
    answers = [scorer.submit(path.read_bytes()) for path in parts(stripes)]
    scorer.close()
    assert all(answer.done() for answer in answers)
    with pytest.raises(GadError, match="is stopping"):
        scorer.submit(b"")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Host": "localhost:8600"}, 200),
        ({"Host": "[::1]:8600"}, 200),
        ({"Host": "evil.example:8600"}, 403),
        ({"Origin": "http://127.0.0.1:8600"}, 200),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "http://127.0.0.1:3000"}, 403),
        ({"Origin": "null"}, 403),
    ],
)
def test_foreign_names_and_pages_are_refused(client, headers, status):
    assert client.get("/live", headers=headers).status_code == status


@pytest.mark.parametrize(
    ("address", "allowed", "host", "answered"),
    [
        ("127.0.0.1", None, "line.example", False),
        ("127.0.0.1", ["*.example"], "line.example", True),
        ("0.0.0.0", None, "line.example", True),  # noqa: S104 - a token is asked for there
        ("0.0.0.0", ["line.example"], "line.example:8600", True),  # noqa: S104
        ("0.0.0.0", ["line.example"], "evil.example", False),  # noqa: S104
    ],
)
def test_names_are_those_of_this_machine_or_given_beside_them(address, allowed, host, answered):
    assert answers_to(host, hosts_of(address, allowed)) == answered


def test_beyond_this_machine_it_asks_for_a_token(run, tmp_path):
    status, _, err = run("serve", tmp_path / "no.gad", "--host", "192.0.2.1")
    assert (status, "give a token" in err) == (2, True)


def test_a_real_server_serves_and_ends_in_good_order(detector, stripes, tmp_path):
    detector.save(tmp_path / "stripes.gad")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    arguments = ["serve", tmp_path / "stripes.gad", "--port", port, "--sink", tmp_path / "results.jsonl"]
    server = subprocess.Popen(  # noqa: S603 - our own command
        [sys.executable, "-m", "gad_core", *map(str, arguments)], cwd=ROOT, stderr=subprocess.DEVNULL
    )
    try:
        health = _when_up(port)
        assert health["version"] == detector.version
        path = parts(stripes)[0]
        body = b"--x\r\nContent-Disposition: form-data; name=files; filename=a.png\r\n\r\n" + path.read_bytes()
        request = Request(
            f"http://127.0.0.1:{port}/score",
            body + b"\r\n--x--\r\n",
            {"Content-Type": "multipart/form-data; boundary=x"},
        )
        with urlopen(request, timeout=30) as response:  # noqa: S310 - the same
            (image,) = json.load(response)["images"]
        assert image["verdict"] == score(detector, [path]).rows[0]["verdict"]
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(30)
    assert [line["path"] for line in read_lines(tmp_path / "results.jsonl")] == ["a.png"]


def _when_up(port: int) -> dict:
    for _ in range(300):
        try:
            with urlopen(f"http://127.0.0.1:{port}/health", timeout=5) as response:
                return dict(json.load(response))
        except OSError:
            time.sleep(0.1)
    pytest.fail("the service did not come up")
