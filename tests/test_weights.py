"""`gad weights` against a hub on this machine: what it finds, what it fetches, and what it leaves behind."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import NamedTuple

import pytest
import safetensors.torch

from gad_core.features.networks import fingerprint, load_network
from gad_core.features.registry import get_backbone
from tests.features.random_networks import random_network

RESNET = "resnet18.tv_in1k.safetensors"
LITE0 = "tf_efficientnet_lite0.in1k.safetensors"


class Hub(NamedTuple):
    """A server that has one file, and what it was asked for."""

    url: str
    requests: list[str]
    fingerprint: str


@pytest.fixture(scope="module")
def hub() -> Iterator[Hub]:
    network = random_network("resnet18")
    content = safetensors.torch.save(network.state_dict(), {"format": "pt"})
    requests: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self):
            requests.append(f"{self.command} {self.path}")
            there = self.path.startswith("/timm/resnet18.tv_in1k/resolve/main/model.safetensors")
            self.send_response(200 if there else 404)
            if there:
                self.send_header("ETag", '"etag"')
                self.send_header("X-Repo-Commit", "c" * 40)
            self.send_header("Content-Length", str(len(content) if there else 0))
            self.end_headers()
            if there and self.command == "GET":
                self.wfile.write(content)

        do_GET = do_HEAD  # noqa: N815 - as the server names it

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        identity = fingerprint(get_backbone("resnet18"), network)
        yield Hub(f"http://127.0.0.1:{server.server_port}", requests, identity)
        server.shutdown()


class Done(NamedTuple):
    status: int
    out: str
    err: str


def python(code: str, *arguments: object, **variables: str) -> Done:
    """A new interpreter, for the hub's client reads its address when it is imported."""
    hidden = ("GAD_WEIGHTS", "HF_HUB_OFFLINE", "HF_HUB_CACHE", "HTTP_PROXY", "ALL_PROXY", "http_proxy", "all_proxy")
    environment = {name: value for name, value in os.environ.items() if name not in hidden} | variables
    command = [sys.executable, "-c", code, *map(str, arguments)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603 - own code
    return Done(done.returncode, done.stdout, done.stderr)


def gad(*arguments: object, **variables: str) -> Done:
    return python("from gad_core.command_line import main; main()", *arguments, **variables)


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_what_the_hub_has_reaches_a_machine_without_a_network(hub: Hub, tmp_path: Path):
    stick, connected = tmp_path / "stick", {"HF_ENDPOINT": hub.url, "HF_HOME": str(tmp_path / "connected")}
    status, out, err = gad("weights", "resnet18", "--out", stick, "--json", **connected)
    assert status == 0, err
    report = json.loads(out)
    (row,) = report["weights"]
    assert (report["folder"], report["missing"]) == (str(stick), [])
    assert (row["backbone"], row["timm_name"], row["source"]) == ("resnet18", "resnet18.tv_in1k", "hub cache")
    assert (row["file"], row["fingerprint"]) == (str(stick / RESNET), hub.fingerprint)
    assert row["bytes"] == (stick / RESNET).stat().st_size
    assert names_in(stick) == [RESNET]

    alone = {"HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path / "alone"), "GAD_WEIGHTS": str(stick)}
    code = "from gad_core.features.networks import load_network; print(load_network('resnet18').fingerprint)"
    assert python(code, **alone).out.strip() == hub.fingerprint
    assert gad("weights", "resnet18", **alone) == (0, f"resnet18: folder, {stick / RESNET}\n", "")

    asked = len(hub.requests)  # what the hub gave before is found without it
    status, out, _ = gad("weights", "resnet18.tv_in1k", "resnet18", **connected)
    assert (status, len(hub.requests)) == (0, asked)
    assert out.startswith(f"resnet18: hub cache, {tmp_path / 'connected'}")
    assert out.count("\n") == 1


def test_a_hub_without_the_file_ends_with_status_1_and_leaves_nothing(hub: Hub, tmp_path: Path):
    variables = {"HF_ENDPOINT": hub.url, "HF_HOME": str(tmp_path / "hub")}
    status, out, err = gad("weights", "resnet34", "tf_efficientnet_lite0", "--out", tmp_path / "stick", **variables)
    assert status == 1
    assert "missing resnet34: no weights for resnet34 within reach" in err
    assert "404" in err
    assert names_in(tmp_path / "stick") == [LITE0]  # the rest was done
    assert out.splitlines()[0].startswith("tf_efficientnet_lite0: package, ")
    assert out.splitlines()[-1] == f"export GAD_WEIGHTS={tmp_path / 'stick'}"


def test_nothing_is_downloaded_unless_a_folder_is_named(hub: Hub, tmp_path: Path):
    asked = len(hub.requests)
    status, out, err = gad("weights", "resnet18", "--json", HF_ENDPOINT=hub.url, HF_HOME=str(tmp_path))
    report = json.loads(out)
    assert (status, len(hub.requests)) == (1, asked)
    assert (report["folder"], report["weights"], report["missing"][0]["backbone"]) == (None, [], "resnet18")
    for way in ("GAD_WEIGHTS is not set", RESNET, "gad weights resnet18 --out"):
        assert way in report["missing"][0]["reason"]
        assert way in err


@pytest.fixture
def no_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GAD_WEIGHTS", raising=False)
    monkeypatch.setattr("huggingface_hub.try_to_load_from_cache", lambda *_: None)
    monkeypatch.setattr("huggingface_hub.get_hf_file_metadata", lambda *_, **__: pytest.fail("the hub was asked"))


def test_weights_of_a_package_are_written_in_timms_naming(run, no_hub, tmp_path: Path, monkeypatch):
    original = load_network("tf_efficientnet_lite0").fingerprint
    status, out, _ = run("weights", "tf_efficientnet_lite0", "--out", tmp_path / "a stick")
    assert status == 0
    assert f"fingerprint {original}" in out
    assert out.splitlines()[-1] == f"export GAD_WEIGHTS='{tmp_path / 'a stick'}'"
    names = safetensors.torch.load_file(tmp_path / "a stick" / LITE0)
    assert names.keys() == random_network("tf_efficientnet_lite0").state_dict().keys()
    monkeypatch.setattr("gad_core.features.weights.package_weights", lambda _: None)
    monkeypatch.setenv("GAD_WEIGHTS", str(tmp_path / "a stick"))
    assert load_network("tf_efficientnet_lite0").fingerprint == original


def test_weights_of_another_network_are_not_passed_on(run, no_hub, tmp_path: Path, monkeypatch):
    folder, stick = tmp_path / "weights", tmp_path / "stick"
    folder.mkdir()
    safetensors.torch.save_file(random_network("resnet18").state_dict(), folder / "resnet34.safetensors")
    monkeypatch.setenv("GAD_WEIGHTS", str(folder))
    status, out, err = run("weights", "resnet34", "--out", stick)
    assert (status, out) == (1, "")
    assert "resnet34.safetensors does not hold the weights of resnet34.tv_in1k" in err
    assert not stick.exists()


def test_a_file_that_came_out_otherwise_is_not_put_in_place(run, no_hub, tmp_path: Path, monkeypatch):
    (tmp_path / LITE0).write_bytes(b"what was there before")
    save = safetensors.torch.save

    def cut(*arguments):
        return save(*arguments)[:-1000]

    monkeypatch.setattr("safetensors.torch.save", cut)
    status, out, err = run("weights", "tf_efficientnet_lite0", "--out", tmp_path)
    assert (status, out) == (2, "")
    assert f"{tmp_path / LITE0} did not come out as it was written; check the disk" in err
    assert names_in(tmp_path) == [LITE0]
    assert (tmp_path / LITE0).read_bytes() == b"what was there before"


def test_an_unknown_name_is_refused_before_anything_is_written(run, no_hub, tmp_path: Path):
    status, out, err = run("weights", "tf_efficientnet_lite0", "resnet19", "--out", tmp_path / "stick")
    assert (status, out) == (2, "")
    assert "resnet18" in err
    assert not (tmp_path / "stick").exists()


def test_a_folder_that_cannot_be_written_is_named(run, no_hub, tmp_path: Path):
    (tmp_path / "file").touch()
    status, out, err = run("weights", "tf_efficientnet_lite0", "--out", tmp_path / "file")
    assert (status, out) == (2, "")
    assert "choose another folder" in err
