"""Every network that can be asked for by name: the curated ones, and whatever else timm knows."""

from gad_core.features.backbones import BACKBONES, Backbone


def get_backbone(name: str) -> Backbone:
    """The backbone of that name, short or with its timm tag: a curated one, or any timm model with `feature_info`.

    Raises `GadError` with the closest names for anything else.
    """
    for backbone in BACKBONES:
        if name in (backbone.name, backbone.timm_name):
            return backbone
    # Torch and timm take seconds to import, and the curated backbones need neither.
    from gad_core.features.timm_models import describe  # noqa: PLC0415

    return describe(name)
