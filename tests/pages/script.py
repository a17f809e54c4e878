"""Pages run as scripts, without a browser."""

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from streamlit.testing.v1 import AppTest

APP = Path(__file__).parents[2] / "app.py"
CARDS = {
    "threshold": "Threshold",
    "promised": "Promised",
    "left out": "Left-out good",
    "good test": "Good test parts",
    "caught": "Caught defects",
}


def run(page: str, **ids: str) -> AppTest:
    app = AppTest.from_file(str(APP), default_timeout=60)
    for name, value in ids.items():
        app.query_params[name] = value
    app.run()
    app.switch_page(page).run()
    assert not app.exception, app.exception
    return app


def components(app: AppTest, name: str) -> dict[str, dict[str, Any]]:
    """What the components of assets/modules/NAME.js were given, by key, in the order in which they stand."""
    mounted = [element.proto for element in app.get("bidi_component") if element.proto.component_name == f"gad_{name}"]
    return {proto.id.rsplit("-", 1)[-1]: json.loads(proto.json) for proto in mounted}


def charts(app: AppTest) -> dict[str, dict[str, Any]]:
    """Every chart on the page by its key, in the order in which they stand."""
    return {key: json.loads(data["figure"]) for key, data in components(app, "chart").items()}


def live_words(app: AppTest) -> dict[str, str]:
    """The words that move with the slider, by slot, as the server says them now."""
    return {slot: text for data in components(app, "words").values() for slot, text in data["values"].items()}


def table_rows(app: AppTest) -> dict[str, list[str]]:
    """The cells of the rows of tables that are HTML, by their heads."""
    rows = [row for table in _html(app, "<table") for row in table.iter("tr")]
    return {str(row[0].text).strip(): ["".join(cell.itertext()) for cell in row[1:]] for row in rows}


def picture_captions(app: AppTest) -> dict[str, list[str]]:
    """The captions of small pictures by the title of their group."""
    groups = [group for place in _html(app, '<div class="gad-pictures"') for group in place]
    return {str(group[0].text): [str(figure[1].text) for figure in group[1:]] for group in groups}


def _html(app: AppTest, start: str) -> list[ElementTree.Element]:
    bodies = [element.proto.body.replace("&nbsp;", " ") for element in app.get("html")]
    return [ElementTree.fromstring(body) for body in bodies if body.startswith(start)]  # noqa: S314 - our own


def set_target(app: AppTest, percent: float) -> AppTest:
    """Another target, as a link brings it: the slider is the browser's."""
    app.query_params["fpr"] = f"{percent:g}"
    return app.run()


def metrics(app: AppTest) -> dict[str, str]:
    return _cards(app, "") | {metric.label: metric.value for metric in app.metric}


def notes(app: AppTest) -> dict[str, str]:
    """What stands below each number."""
    return _cards(app, " note") | {metric.label: metric.delta for metric in app.metric}


def _cards(app: AppTest, part: str) -> dict[str, str]:
    words = live_words(app)
    return {label: words[f"{slot}{part}"] for slot, label in CARDS.items() if slot in words}


def captions(app: AppTest) -> str:
    """All that is said on the page."""
    texts = [text.value.replace("\\", "") for text in (*app.caption, *app.markdown)]
    return " ".join([*texts, *map(str, live_words(app).values())])
