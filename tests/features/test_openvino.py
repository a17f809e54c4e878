import os
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

# Audit events cannot be evaded by Python code: every connection, name lookup and child process raises one.
WATCHED = """
import sys
import numpy as np
events = []
watched = ("socket.connect", "socket.getaddrinfo", "socket.sendto", "os.fork", "subprocess.Popen", "os.posix_spawn")
sys.addaudithook(lambda event, arguments: events.append(event) if event in watched else None)
"""
FEATURES = """
from gad_core.features.networks import load_network
from gad_core.features.engines import make_engine
engine = make_engine(load_network("tf_efficientnet_lite0"), device="cpu")
vector, = engine.stream([np.zeros((224, 224, 3), np.uint8)])
assert vector.shape == (2096,)
"""


def test_nothing_asks_the_network_from_import_to_features(python: Callable[..., CompletedProcess[str]], tmp_path: Path):
    # A fresh home without any consent on file, and not in CI: there OpenVINO's telemetry would send by default.
    variables = {name: value for name, value in os.environ.items() if name not in ("CI", "TF_BUILD", "JENKINS_URL")}
    outcome = python(
        WATCHED + FEATURES + "import time; time.sleep(0.5); print(events)",
        {**variables, "HOME": str(tmp_path), "USERPROFILE": str(tmp_path)},
    )
    assert outcome.stdout.strip() == "[]", outcome.stderr
    assert not (tmp_path / "intel").exists()  # where the telemetry keeps its client's identity


def test_openvino_runs_with_the_stub_of_its_telemetry():
    from gad_core.features._openvino import openvino

    assert openvino.tools.ovc.telemetry.__class__.__module__ == "openvino.tools.ovc.telemetry_stub"
