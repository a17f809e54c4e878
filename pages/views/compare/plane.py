"""AUROC and explanation score in one plane: the corner (100, 100) is a detector that is right for the right reason."""

from math import dist

from gad_core import figures
from pages.shared import charts
from pages.views.compare.candidates import Field


def plane(field: Field) -> None:
    """Those that were explained over the whole data set; nothing for fewer than one."""
    points = list[dict[str, float | str]]()
    for one, member in zip(field.compared, field.members, strict=True):
        if member.explanation:
            at = (100 * one.area.value, member.explanation.mean)
            points.append(
                {"name": one.name, "auroc": at[0], "score": at[1], "sem": 0.0, "distance": dist(at, (100, 100))}
            )
    if not points:
        charts.panel_without(
            "Right for the right reason",
            "Explain all defects on Attributions: then each stands here by AUROC and explanation score (Table X).",
        )
        return
    nearest = min(points, key=lambda point: float(point["distance"]))
    words = f"{nearest['name']} lies {float(nearest['distance']):.1f} from the corner (100, 100)."
    with charts.panel("Right for the right reason", words):
        charts.show(figures.explanation_plane(points), key="compare_plane", alt=words)
