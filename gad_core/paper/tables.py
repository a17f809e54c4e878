"""The tables: which units each is made of, how their rows are laid out, and what differs from the paper."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from gad_core.errors import GadError
from gad_core.features.backbones import Backbone
from gad_core.gaussian.tuning import SUM
from gad_core.paper.augmented import augmented_units, sigma_level
from gad_core.paper.explanations import explanation_units
from gad_core.paper.held_out import held_out_units, types_of
from gad_core.paper.lab import Lab
from gad_core.paper.label_noise import label_noise_units
from gad_core.paper.levels import level_units
from gad_core.paper.on_features import feature_units
from gad_core.paper.trained import AUTOENCODER, autoencoder_units, classifier_units
from gad_core.paper.units import Row, Unit

#: Where a row of a unit stands in a table: its row, its column; None: nowhere.
Place = Callable[[Row], tuple[str, str] | None]


@dataclass(frozen=True)
class Table:
    """One table of the paper, to be made on any categories."""

    name: str  # "II"
    title: str
    units: Callable[[Lab], Sequence[Unit]]
    place: Callable[[Lab], Place]
    departures: Callable[[Lab], Sequence[str]]
    by_category: bool = False  # its rows are categories


def known_tables() -> tuple[str, ...]:
    """Their names, in the paper's order."""
    return tuple(TABLES)


def parse_table(name: str) -> Table:
    """Read a name such as "IV" or "4"; raises `GadError` for one that is not among `known_tables`."""
    numbers = {"1": "I", "2": "II", "3": "III", "4": "IV", "5": "V", "6": "VI", "8": "VIII", "9": "IX", "10": "X"}
    wanted = name.strip().upper()
    wanted = {**numbers, "13": "XIII"}.get(wanted, wanted)
    if wanted not in TABLES:
        raise GadError(f"there is no table {name!r} to make; choose one of {', '.join(TABLES)}, or all")
    return TABLES[wanted]


def _main(lab: Lab) -> tuple[Backbone, ...]:
    return lab.backbones[:1]


def _all(lab: Lab) -> tuple[Backbone, ...]:
    return lab.backbones


def _family(lab: Lab, family: str) -> tuple[Backbone, ...]:
    """The networks of a family, or all where none of it was asked for."""
    return tuple(one for one in lab.backbones if one.family == family) or lab.backbones


def _by_distance(lab: Lab) -> Place:
    main = lab.backbones[0].name
    return lambda row: (row["level"], row["distance"]) if (row["backbone"], row["reduction"]) == (main, "all") else None


def _by_backbone(_: Lab) -> Place:
    def place(row: Row) -> tuple[str, str] | None:
        plain = (row["distance"], row["reduction"]) == ("Mahalanobis", "all")
        return (row["level"], row["backbone"]) if plain else None

    return place


def _by_reduction(lab: Lab) -> Place:
    main = lab.backbones[0].name
    return lambda row: (
        (row["level"], row["reduction"]) if (row["backbone"], row["distance"]) == (main, "Mahalanobis") else None
    )


def _by_sigma(lab: Lab) -> Place:
    levels = {backbone.name: str(sigma_level(backbone)) for backbone in lab.backbones}

    def place(row: Row) -> tuple[str, str] | None:
        if row["level"] != levels[row["backbone"]]:
            return None
        return (f"{row['sigma']} sigma" if "sigma" in row else "AUROC", f"{row['backbone']}, {row['reduction']}")

    return place


def _approach(row: Row) -> str | None:
    """The row of Table I that a unit's row belongs to."""
    if "method" in row:
        return str(row["method"]) if row["metric"] == "AUROC" else None
    if row["level"] != SUM or row["metric"] != "AUROC" or row["reduction"] not in ("all", "NPCA 1 %"):
        return None
    return f"Mahalanobis, {'all levels' if row['reduction'] == 'all' else row['reduction']}"


def _by_approach(_: Lab) -> Place:
    return lambda row: (approach, str(row["backbone"])) if (approach := _approach(row)) else None


def _categories(_: Lab) -> Place:
    return lambda row: (
        (str(row["category"]), f"{approach}, {row['backbone']}") if (approach := _approach(row)) else None
    )


def _by_corruption(_: Lab) -> Place:
    return lambda row: (str(row["method"]), f"{100 * row['corruption']:g} %")


def _seen_or_not(_: Lab) -> Place:
    return lambda row: ("Fine-tuned classifier", str(row["column"]))


def _explained(_: Lab) -> Place:
    return lambda row: (f"{row['method']}, {row['backbone']}", str(row["metric"]))


def _approaches(lab: Lab) -> list[Unit]:
    return [
        *autoencoder_units(lab),
        *classifier_units(lab, lab.backbones),
        *feature_units(lab, lab.backbones),
        *augmented_units(lab, lab.backbones),
    ]


def _networks(lab: Lab) -> list[str]:
    names = ", ".join(f"{one.name} at {one.input_size} px" for one in lab.backbones)
    return [f"networks: {names}; the paper's main one is EfficientNet-B4 at 380 px"]


def _folds(lab: Lab) -> list[str]:
    return [f"{lab.settings.folds} folds of the normal training images"] if lab.settings.folds != 5 else []


def _plain(lab: Lab) -> list[str]:
    return [*_networks(lab), *_folds(lab)]


def _copied(lab: Lab) -> list[str]:
    passes = lab.settings.scale.passes
    return [*_plain(lab), *([f"{passes} augmented copies of an image instead of 100"] if passes != 100 else [])]


def _trained(lab: Lab) -> list[str]:
    scale, learning = lab.settings.scale, lab.settings.scale.classifier
    words = [
        f"classifier: scale {scale.name}, at most {learning.epochs} epochs, rate {learning.rate:g}, "
        f"{learning.folds} of 5 folds"
    ]
    return [*_networks(lab), *words] if scale.name != "paper" else _networks(lab)


def _compared(lab: Lab) -> list[str]:
    learning = lab.settings.scale.autoencoder
    words = (
        f"auto-encoder: {learning.epochs} epochs at {learning.size} px, rate {learning.rate:g}, "
        f"shape of {AUTOENCODER}, {learning.folds} folds"
    )
    ours = "k nearest neighbours, the coreset and the regions are not in the paper; they and the oc-SVM see no copies"
    return [*_copied(lab), *_trained(lab)[1:], words, ours]


def _noisy(lab: Lab) -> list[str]:
    return [*_trained(lab), "the Gaussians see no augmented copies"]


def _held_out(lab: Lab) -> list[str]:
    left = [dataset.name for dataset in lab.categories if len(types_of(dataset)) < 2]
    words = [f"left out, having one type of defect: {', '.join(left)}"] if left else []
    return [
        *_trained(lab),
        *words,
        "outside MVTec AD the type is held out whose features lie farthest from the others'",
    ]


def _maps(lab: Lab) -> list[str]:
    scale = lab.settings.scale
    some = (
        [f"{scale.explained} masked defects of a category, {scale.n_references} references"] if scale.explained else []
    )
    return [*_trained(lab), *some, "the sum of all levels is explained, fitted to all training images without copies"]


_MADE = (
    Table("I", "Comparison of approaches", _approaches, _by_approach, _compared),
    Table("II", "Levels by distance", lambda lab: level_units(lab, _main(lab)), _by_distance, _plain),
    Table("III", "Levels of ResNets", lambda lab: level_units(lab, _family(lab, "resnet")), _by_backbone, _plain),
    Table(
        "IV",
        "Levels of EfficientNets",
        lambda lab: level_units(lab, _family(lab, "efficientnet")),
        _by_backbone,
        _plain,
    ),
    Table("V", "Levels by reduction", lambda lab: level_units(lab, _main(lab)), _by_reduction, _plain),
    Table("VI", "Promised and achieved rates", lambda lab: augmented_units(lab, _all(lab)), _by_sigma, _copied),
    Table("VIII", "Label noise", lambda lab: label_noise_units(lab, lab.backbones[0]), _by_corruption, _noisy),
    Table(
        "IX", "A type of defect held out", lambda lab: held_out_units(lab, lab.backbones[0]), _seen_or_not, _held_out
    ),
    Table("X", "Explanation scores", lambda lab: explanation_units(lab, _all(lab)), _explained, _maps),
    Table("XIII", "Categories", _approaches, _categories, _compared, by_category=True),
)
#: By name.
TABLES: Mapping[str, Table] = {table.name: table for table in _MADE}
