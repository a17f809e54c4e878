"""OpenVINO without its telemetry, which reports to an analytics server at every import and conversion.

Where the telemetry package cannot be imported, OpenVINO falls back on a stub that it brings along.
"""

import sys
from types import ModuleType
from typing import cast

sys.modules["openvino_telemetry"] = cast(ModuleType, None)  # None is what makes an import fail

import openvino  # noqa: E402 - the line above must come first

__all__ = ["openvino"]
