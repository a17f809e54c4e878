"""The command line: one module a command, the options that several share, and what they print.

A command imports what it needs when it runs: torch alone takes seconds, and `--help` should answer at once.
"""

import sys
from errno import EIO, ENOSPC
from io import StringIO

import typer

from gad_core.command_line import (
    demo,
    evaluate,
    explain,
    export,
    fit,
    monitor,
    paper,
    repeatability,
    report,
    score,
    sensitivity,
    serve,
    weights,
)
from gad_core.command_line.output import say
from gad_core.errors import GadError

app = typer.Typer(
    help="Tune Gaussian anomaly detectors for images.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
COMMANDS = (
    demo.demo,
    fit.fit,
    evaluate.evaluate,
    score.score,
    explain.explain,
    sensitivity.sensitivity,
    repeatability.repeatability,
    monitor.monitor,
    export.export,
    report.report,
    serve.serve,
    paper.paper,
    weights.weights,
)
for command in COMMANDS:
    app.command()(command)


def main() -> None:
    """Run the command line; an error of the user is one line on stderr and status 2."""
    try:
        app(prog_name="gad")
    except GadError as error:
        say(f"error: {error}", err=True)
        sys.exit(2)
    except OSError as error:
        if error.errno not in {ENOSPC, EIO}:
            raise
        sys.stdout = StringIO()  # what is left of it is not tried again at the exit
        say(f"error: the results cannot be written ({error.strerror}); free some space", err=True)
        sys.exit(2)
