from collections.abc import Callable
from subprocess import CompletedProcess

Python = Callable[..., CompletedProcess[str]]

# What a CPU-only torch makes of a torchvision that was built for CUDA: its compiled part does not load.
MISMATCH = """
import torch

def refuse(path):
    raise OSError("libtorch_cuda.so: cannot open shared object file")

torch.ops.load_library = refuse
"""


def test_timm_builds_networks_beside_a_torchvision_whose_compiled_part_does_not_load(python: Python):
    code = """
from gad_core.features._torchvision import timm
import torchvision
assert not torchvision.extension._has_ops()
print(timm.create_model("resnet18").num_features)
"""
    outcome = python(MISMATCH + code)
    assert outcome.stdout.strip() == "512", outcome.stderr


def test_without_the_cure_such_a_torchvision_does_not_import(python: Python):
    assert "operator torchvision::nms does not exist" in python(MISMATCH + "import torchvision").stderr


def test_another_failure_of_torchvision_is_not_hidden(python: Python):
    code = """
import sys, types
class Broken:
    def find_spec(self, name, path=None, target=None):
        if name == "torchvision":
            raise RuntimeError("torchvision has a fault of its own")
sys.meta_path.insert(0, Broken())
import gad_core.features._torchvision
"""
    assert "a fault of its own" in python(code).stderr


def test_timm_comes_without_the_compiler_and_whoever_asks_for_it_later_gets_the_real_one(python: Python):
    code = """
import sys
from gad_core.features._torchvision import timm
assert "torch._dynamo" not in sys.modules and "sympy" not in sys.modules
import torch
import torch._dynamo.utils
assert torch._dynamo.utils.is_compile_supported is sys.modules["torch._dynamo.utils"].is_compile_supported
print(torch._dynamo.utils.__file__, torch.compile(lambda x: x + 1, backend="eager")(torch.ones(1)).item())
"""
    outcome = python(code)
    assert outcome.stdout.split()[-1] == "2.0", outcome.stderr


def test_a_version_that_asks_more_of_the_compiler_gets_the_real_one(python: Python):
    code = """
import sys
from gad_core.features import _torchvision
with _torchvision._no_compiler():
    from torch._dynamo.utils import counters
print(type(counters).__name__, sys.modules["torch._dynamo.utils"].counters is counters)
"""
    outcome = python(code)
    assert outcome.stdout.split() == ["defaultdict", "True"], outcome.stderr
