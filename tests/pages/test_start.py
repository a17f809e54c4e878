"""How a server starts: no page waits for what it does not need, and what somebody waits for comes first."""

import gc
import subprocess
import sys
from threading import Event
from urllib.request import urlopen

from pages.shared import server
from tests.pages.conftest import ROOT

_IMPORTS = """
import sys
from importlib import import_module
from pages.shared import server
for page in server._there:
    if page != "compare":
        for module in server._modules(page):
            import_module(module)
print(*sorted({"torch", "timm", "sklearn", "statsmodels", "captum", "shap", "onnx"} & set(sys.modules)))
"""


def test_no_page_but_compare_loads_what_takes_seconds_to_be_drawn():
    command = [sys.executable, "-W", "ignore", "-c", _IMPORTS]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S603 - our own
    assert found.stdout.strip() == ""


def test_the_page_that_somebody_waits_for_is_imported_next(monkeypatch):
    imported: list[str] = []
    monkeypatch.setattr(server, "import_module", lambda name: imported.append(name) or sys)
    monkeypatch.setattr(sys, "watch_on", lambda: None, raising=False)
    monkeypatch.setattr(server, "_there", {page: Event() for page in ("", "data", "levels", "compare")})
    monkeypatch.setattr(server, "_asked", ["", "levels"])
    monkeypatch.setattr(gc, "freeze", lambda: None)
    server._warm()
    pages = list(dict.fromkeys(name.split(".")[2] for name in imported if name.startswith("pages.views.")))
    assert pages[:3] == ["levels", "data", "compare"]
    assert imported[-len(server._HEAVY) :] == list(server._HEAVY)
    assert all(there.is_set() for there in server._there.values())


def test_what_cannot_be_imported_holds_up_nobody(monkeypatch):
    def fail(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(server, "import_module", fail)
    monkeypatch.setattr(server, "_there", {page: Event() for page in ("", "data")})
    monkeypatch.setattr(gc, "freeze", lambda: None)
    server._warm()
    assert all(there.is_set() for there in server._there.values())


def test_a_browser_asks_for_our_modules_again_after_an_update(serve, tmp_path):
    with serve(tmp_path) as url, urlopen(f"{url}/modules/live.js") as answer:  # noqa: S310 - our own server
        assert answer.headers["Cache-Control"] == "no-cache"
        assert b"unpacked" in answer.read()
