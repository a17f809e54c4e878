"""The training loop: resumed to the bit, cancelled, ended early."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from gad_core.baselines.training import Training, as_tensor, seeded_, train
from gad_core.data.augment_settings import FIG_5
from gad_core.errors import Cancelled

TRAINING = Training(epochs=4, batch_size=8, rate=1e-2, augmentation=FIG_5, seed=3)


def small() -> nn.Module:
    return seeded_(
        nn.Sequential(nn.Conv2d(3, 4, 5, stride=4), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(900, 1)), 5
    )


def loss(module, pixels, targets):
    return F.binary_cross_entropy_with_logits(module(pixels / 255)[:, 0], targets)


def weights(module) -> np.ndarray:
    return np.concatenate([value.double().numpy().ravel() for value in module.state_dict().values()])


def stop_at(samples: int):
    def progress(done, _):
        if done >= samples:
            raise Cancelled

    return progress


def test_a_training_that_was_stopped_in_an_epoch_gives_what_it_would_have_given(dots, tmp_path):
    whole = train(small(), loss, dots, TRAINING)
    for stop in (30, 55, 70):  # 20 samples an epoch
        with pytest.raises(Cancelled):
            train(small(), loss, dots, TRAINING, checkpoint=tmp_path / "run.pt", progress=stop_at(stop))
    resumed = train(small(), loss, dots, TRAINING, checkpoint=tmp_path / "run.pt")
    assert np.array_equal(weights(whole), weights(resumed))
    assert [path.name for path in tmp_path.iterdir()] == ["run.pt"]


def test_a_finished_training_is_read_and_not_done_again(dots, tmp_path):
    first = train(small(), loss, dots, TRAINING, checkpoint=tmp_path / "run.pt")
    again = train(small(), lambda *_: pytest.fail("trained again"), dots, TRAINING, checkpoint=tmp_path / "run.pt")
    assert np.array_equal(weights(first), weights(again))


def test_a_damaged_checkpoint_counts_as_none(dots, tmp_path):
    whole = train(small(), loss, dots, TRAINING)
    path = tmp_path / "run.pt"
    train(small(), loss, dots, TRAINING, checkpoint=path)
    path.write_bytes(path.read_bytes()[:500])
    assert np.array_equal(weights(whole), weights(train(small(), loss, dots, TRAINING, checkpoint=path)))


def test_the_best_epoch_is_kept_and_patience_ends_the_rest(dots):
    values, seen = iter([0.3, 0.9, 0.5, 0.4, 1.0]), []

    def validate(module):
        seen.append(weights(module))
        return next(values)

    patient = Training(epochs=9, batch_size=8, rate=1e-2, patience=2)
    best = train(small(), loss, dots, patient, validate=validate)
    assert len(seen) == 4  # two epochs without a better one
    assert np.array_equal(weights(best), seen[1])


def test_the_same_seed_draws_the_same_weights_whatever_torch_drew_before():
    torch.manual_seed(1)
    first = small()
    torch.rand(100)
    assert np.array_equal(weights(first), weights(small()))


def test_progress_counts_samples_to_the_end(dots):
    reports = []
    train(small(), loss, dots, TRAINING, progress=lambda *report: reports.append(report))
    assert reports[0] == (10, 80)
    assert reports[-1] == (80, 80)
    assert sorted(reports) == reports


def test_pixels_go_in_as_they_are(dots):
    assert np.array_equal(as_tensor(dots.pixels).permute(0, 2, 3, 1).numpy(), dots.pixels.astype(np.float32))
