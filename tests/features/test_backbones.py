from collections.abc import Callable
from dataclasses import replace
from subprocess import CompletedProcess

import numpy as np
import pytest

from gad_core.errors import GadError
from gad_core.features.backbones import BACKBONES, Backbone
from gad_core.features.registry import get_backbone
from gad_core.features.timm_models import describe


@pytest.mark.parametrize("backbone", BACKBONES, ids=lambda backbone: backbone.name)
def test_a_curated_backbone_says_what_timm_says_of_it(backbone: Backbone):
    of_timm = describe(backbone.timm_name)
    assert replace(backbone, name=backbone.timm_name, package=None) == of_timm


def test_efficientnets_have_nine_levels_and_resnets_five():
    counts = {backbone.name: backbone.n_levels for backbone in BACKBONES}
    assert {n for name, n in counts.items() if "efficientnet" in name} == {9}
    assert {n for name, n in counts.items() if "resnet" in name} == {5}


def test_levels_lie_in_the_feature_vector_one_after_the_other():
    backbone = get_backbone("resnet50")
    vector = np.repeat(np.arange(5), backbone.channels)
    for level, where in enumerate(backbone.level_slices):
        assert (vector[where] == level).all()
        assert len(vector[where]) == backbone.channels[level]
    assert backbone.n_features == len(vector)


def test_a_backbone_is_found_by_its_short_and_by_its_full_name():
    assert get_backbone("resnet18") is get_backbone("resnet18.tv_in1k")
    assert get_backbone("tf_efficientnet_lite0.in1k").input_size == 224


def test_other_weights_of_a_curated_architecture_are_another_backbone():
    assert get_backbone("resnet18.a1_in1k").hub_id == "timm/resnet18.a1_in1k"


def test_any_timm_model_serves_with_its_own_stages():
    backbone = get_backbone("convnext_tiny")
    assert (backbone.family, backbone.channels, backbone.input_size) == ("other", (96, 192, 384, 768), 224)


def test_an_unknown_name_is_answered_with_close_ones():
    with pytest.raises(GadError, match=r"no backbone 'resnet_18'; choose .*resnet18"):
        get_backbone("resnet_18")


def test_an_unknown_tag_is_refused():
    with pytest.raises(GadError, match=r"'resnet18.nowhere' cannot serve .*tag"):
        get_backbone("resnet18.nowhere")


def test_names_that_timm_would_fetch_from_elsewhere_are_unknown():
    with pytest.raises(GadError, match="no backbone"):
        get_backbone("hf-hub:timm/resnet18.a1_in1k")


def test_the_curated_backbones_are_listed_without_torch(python: Callable[..., CompletedProcess[str]]):
    code = """
import sys
from gad_core.features.registry import get_backbone
get_backbone("resnet18")
print(*sys.modules)
"""
    assert not {"torch", "timm"} & set(python(code).stdout.split() or ["torch"])
