"""The networks: their size and cost are the published ones, their output is an embedding."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: training is not tested")

from facegui.training.backbones import BACKBONES, backbone, cost  # noqa: E402

PUBLISHED = {
    # Million parameters and multiply-adds. IResNets: InsightFace's tables for arcface_torch. iresnet100 also stands in
    # OpenVINO's model zoo: 65.13 million, 24.21 billion operations, two to a multiply-add. MobileFaceNet, 128 numbers:
    # 0.99 million in its paper; OpenVINO's model zoo has 0.993 million and 0.449 billion operations.
    "iresnet18": (512, 24.03, 2620),
    "iresnet34": (512, 34.14, 4480),
    "iresnet50": (512, 43.59, 6330),
    "iresnet100": (512, 65.16, 12_130),
    "mobilefacenet": (128, 0.993, 224.5),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_parameters_and_multiply_adds_are_the_published_ones(name: str) -> None:
    dimension, parameters, multiply_adds = PUBLISHED[name]
    with torch.device("meta"):
        network = backbone(name, dimension)
    found = cost(network)
    assert found.parameters / 1e6 == pytest.approx(parameters, rel=0.012)
    assert found.multiply_adds / 1e6 == pytest.approx(multiply_adds, rel=0.017)


@pytest.mark.parametrize(("name", "dimension"), [("mobilefacenet", 64), ("iresnet18", 512)])
def test_a_batch_becomes_embeddings_and_every_weight_gets_a_gradient(name: str, dimension: int) -> None:
    network = backbone(name, dimension, dropout=0.2)
    result = network(torch.randn(2, 3, 112, 112))
    assert result.shape == (2, dimension)
    (result * torch.randn_like(result)).sum().backward()
    assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in network.parameters() if p.requires_grad)


def test_iresnets_end_in_batch_norm_dropout_full_layer_batch_norm() -> None:
    with torch.device("meta"):
        kinds = [type(layer).__name__ for layer in backbone("iresnet50", dropout=0.4).output]
    assert kinds == ["BatchNorm2d", "Dropout", "Flatten", "Linear", "BatchNorm1d"]


def test_an_unknown_network_is_named_with_those_that_exist() -> None:
    with pytest.raises(ValueError, match=r"there is no network vgg; there are iresnet18, .*mobilefacenet"):
        backbone("vgg")
    assert len(BACKBONES) == 5
