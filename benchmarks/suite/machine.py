"""On what a run was made: figures of two machines are not to be compared, ratios hardly."""

import os
import platform
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

#: What decides the figures.
PACKAGES = (
    *("numpy", "scipy", "scikit-learn", "torch", "timm", "openvino", "pillow"),
    *("captum", "shap", "streamlit", "plotly", "anomalib"),
)


def describe() -> dict[str, object]:
    """Processor, cores, memory, versions, as plain values."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count() or 1,
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        "system": f"{platform.system()} {platform.machine()}",
        "versions": {"python": platform.python_version(), **_versions()},
    }


def today() -> str:
    """The date, in UTC."""
    return datetime.now(UTC).strftime("%Y-%m-%d")


def _processor() -> str:
    """Its name, and the widest arithmetic that it has: virtual machines often hide the rest of the name."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or "unknown"
    facts = dict(line.split(":", 1) for line in lines if ":" in line)
    facts = {key.strip(): value.strip() for key, value in facts.items()}
    flags = facts.get("flags", "").split()
    widest = next((flag for flag in ("avx512f", "avx2") if flag in flags), "")
    return " ".join(part for part in (facts.get("model name", "unknown"), widest and f"({widest})") if part)


def _versions() -> dict[str, str]:
    found = {}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
