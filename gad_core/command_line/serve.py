"""`gad serve`: a detector's verdicts over HTTP."""

from collections.abc import Sequence
from typing import Annotated

import typer

from gad_core.command_line.options import DetectorFile
from gad_core.errors import GadError
from gad_core.export.hosts import OWN, is_own

_PATIENCE = 30  # seconds for requests on their way when it ends: one stalled upload must not hold the end up


def serve(
    detector: DetectorFile,
    host: Annotated[str, typer.Option(help="Address to listen on; other than this machine's own asks for a token.")] = (
        "127.0.0.1"
    ),
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 8600,
    token: Annotated[
        str | None, typer.Option(envvar="GAD_TOKEN", help="What clients say in `Authorization: Bearer`.")
    ] = None,
    allowed_host: Annotated[
        list[str] | None,
        typer.Option(
            help="Name under which clients may ask for it, as *.example.com; repeatable. Else this machine's."
        ),
    ] = None,
    sink: Annotated[
        list[str] | None,
        typer.Option(help="Where results go too: results.jsonl, https://host/path, mqtt://host/topic; repeatable."),
    ] = None,
) -> None:
    """Judge images that are sent to /score; see /docs there for the rest."""
    check_open(host, token)
    import uvicorn

    from gad_core.command_line.export import decision_of
    from gad_core.export.scoring import Scorer
    from gad_core.export.service import Service, make_app
    from gad_core.export.sinks import open_sink
    from gad_core.gaussian.detector_file import load_detector
    from gad_core.library.resources import engine_of

    fitted = load_detector(detector)
    sinks = [open_sink(text) for text in sink or ()]
    scorer = Scorer(fitted, engine_of(fitted.backbone))
    app = make_app(
        Service(scorer, detector.stem, decision_of(detector, fitted), token, sinks, hosts_of(host, allowed_host))
    )
    point = scorer.judge.point
    typer.echo(f"judging by {point.threshold:.4g} ({point.how}) on http://{host}:{port}", err=True)
    uvicorn.run(
        app, host=host, port=port, log_level="warning", server_header=False, timeout_graceful_shutdown=_PATIENCE
    )


def check_open(host: str, token: str | None) -> None:
    """Refuse to listen beyond this machine without a token."""
    if not is_own(host) and not token:
        raise GadError(
            f"whoever reaches {host} could use this service; give a token (--token or GAD_TOKEN), or listen on "
            "127.0.0.1"
        )


def hosts_of(host: str, allowed: Sequence[str] | None) -> tuple[str, ...]:
    """The names that a service on an address answers to: those allowed beside this machine's own.

    On another address without a list any name will do: there it is the token that keeps foreign pages out.
    """
    return (*OWN, *(allowed or (() if is_own(host) else ("*",))))
