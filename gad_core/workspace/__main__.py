"""Put the demo into the workspace, fitted, so that the dashboard opens with it: `python -m gad_core.workspace`."""

import sys

from gad_core.errors import GadError
from gad_core.features.backbones import BACKBONES
from gad_core.workspace.store import open_store


def main() -> None:
    """Make the demo ready; where it is already, this takes no time."""
    try:
        with open_store() as store:
            if any(row.kind == "demo" for row in store.datasets.all()):
                return
            sys.stderr.write("Preparing the demo, once ...\n")
            from gad_core.workspace.steps import try_demo  # noqa: PLC0415 - torch takes seconds to import

            try_demo(store, "washer", backbone=BACKBONES[0].name, cache=store.feature_cache())
    except GadError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
