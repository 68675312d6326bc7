"""The margins against hand-derived formulas, numerical gradients and another library, and the mistakes of tutorials."""

from __future__ import annotations

import math

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: training is not tested")

from facegui.training import margins  # noqa: E402
from facegui.training.margins import Margin  # noqa: E402

F = torch.nn.functional
ALL = [
    margins.normalised_softmax(16), margins.sphereface(1.35), margins.sphereface(2.0), margins.arcface(),
    margins.arcface(easy=True), margins.cosface(), margins.combined(), Margin(32, 1.2, 0.3, 0.1),
    Margin(32, 1.0, 0.5, 0.0, "none"),
]  # fmt: skip
IDS = [f"{m.m1}-{m.m2}-{m.m3}-{m.beyond}" for m in ALL]


def by_hand(cosine: float, margin: Margin) -> tuple[float, float]:
    """The target cosine and its slope dψ/dcos, written out in float64 from the papers."""
    theta = math.acos(cosine)
    phi = margin.m1 * theta + margin.m2
    inside = (math.cos(phi) - margin.m3, margin.m1 * math.sin(phi) / math.sin(theta))
    if margin.beyond == "none" or phi <= math.pi:
        if margin.beyond == "easy" and cosine <= 0:
            return cosine - margin.m3, 1.0
        return inside
    if margin.beyond == "easy":
        return (cosine - margin.m3, 1.0) if cosine <= 0 else inside
    if margin.m1 == 1.0:
        return cosine - margin.m2 * math.sin(margin.m2) - margin.m3, 1.0
    k = math.floor(phi / math.pi)
    return (-1) ** k * math.cos(phi) - 2 * k - margin.m3, (-1) ** k * inside[1]


@pytest.mark.parametrize("margin", ALL, ids=IDS)
def test_value_and_slope_are_those_of_the_formula(margin: Margin) -> None:
    values = np.linspace(-0.999, 0.999, 401)
    cosine = torch.tensor(values, dtype=torch.float64, requires_grad=True)
    result = margins.target_cosine(cosine, margin)
    result.sum().backward()
    expected = np.array([by_hand(value, margin) for value in values])
    np.testing.assert_allclose(result.detach().numpy(), expected[:, 0], atol=1e-12)
    np.testing.assert_allclose(cosine.grad.numpy(), expected[:, 1], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("margin", ALL, ids=IDS)
def test_gradients_of_the_loss_are_the_numerical_ones(margin: Margin) -> None:
    generator = torch.Generator().manual_seed(3)
    features = torch.randn(6, 5, generator=generator, dtype=torch.float64, requires_grad=True)
    centres = torch.randn(4, 5, generator=generator, dtype=torch.float64, requires_grad=True)
    labels = torch.tensor([0, 1, 2, 3, -1, 2])
    soft = Margin(4.0, margin.m1, margin.m2, margin.m3, margin.beyond)

    def loss(x: torch.Tensor, w: torch.Tensor) -> torch.Tensor:
        return margins.margin_loss(margins.cosines(x, w), labels, soft)

    assert torch.autograd.gradcheck(loss, (features, centres))


def test_arcface_loss_of_two_classes_worked_out_by_hand() -> None:
    """cos θ_y = 0.8, cos θ_other = 0.3, s = 10, m = 0.5: the number from the formula, term by term."""
    own = 10 * (0.8 * math.cos(0.5) - 0.6 * math.sin(0.5))
    expected = math.log(1 + math.exp(3.0 - own))
    loss = margins.margin_loss(torch.tensor([[0.8, 0.3]]), torch.tensor([0]), margins.arcface(0.5, 10))
    assert loss.item() == pytest.approx(expected, rel=1e-6)
    share = math.exp(3.0) / (math.exp(3.0) + math.exp(own))
    cosine = torch.tensor([[0.8, 0.3]], requires_grad=True)
    margins.margin_loss(cosine, torch.tensor([0]), margins.arcface(0.5, 10)).backward()
    slope = math.sin(math.acos(0.8) + 0.5) / 0.6
    np.testing.assert_allclose(cosine.grad.numpy(), [[-share * 10 * slope, share * 10]], rtol=1e-5)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("margin", ALL, ids=IDS)
def test_nothing_is_nan_or_endless_at_cosines_of_one_and_beyond(margin: Margin, dtype: torch.dtype) -> None:
    cosine = torch.tensor([[1.0, -1.0], [-1.0, 1.0], [1.001, 0.0], [-1.001, 0.0]], dtype=dtype, requires_grad=True)
    loss = margins.margin_loss(cosine, torch.tensor([0, 0, 0, 0]), margin)
    loss.backward()
    assert torch.isfinite(loss)
    assert torch.isfinite(cosine.grad).all()


@pytest.mark.parametrize("margin", ALL, ids=IDS)
def test_a_feature_that_lies_on_its_centre_or_opposite_has_a_finite_gradient(margin: Margin) -> None:
    centres = torch.eye(3, requires_grad=True)
    features = torch.stack([torch.eye(3)[0], -torch.eye(3)[1], torch.zeros(3)]).requires_grad_()
    margins.margin_loss(margins.cosines(features, centres), torch.tensor([0, 1, 2]), margin).backward()
    assert torch.isfinite(features.grad).all()
    assert torch.isfinite(centres.grad).all()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_stays_near_double(dtype: torch.dtype) -> None:
    cosine = torch.linspace(-0.95, 0.95, 60, dtype=torch.float64).reshape(20, 3).to(dtype)
    labels = torch.arange(20) % 3
    half = cosine.clone().requires_grad_()
    full = cosine.double().requires_grad_()
    for values in (half, full):
        margins.margin_loss(values, labels, margins.arcface(scale=16)).backward()
    assert half.grad.dtype == dtype
    np.testing.assert_allclose(half.grad.double().numpy(), full.grad.numpy(), atol=0.02)


def test_cosines_are_taken_in_full_precision_under_autocast() -> None:
    features, centres = torch.randn(4, 8), torch.randn(3, 8)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        under = margins.cosines(features, centres)
    assert under.dtype == torch.float32
    assert torch.equal(under, margins.cosines(features, centres))


def test_the_logit_falls_as_the_angle_grows_all_the_way_with_every_continuation() -> None:
    """Where θ + m passes π, a plain cosine would rise again and reward a face for moving away."""
    theta = torch.linspace(0.001, math.pi - 0.001, 2000, dtype=torch.float64)
    for margin in ALL:
        falls = bool((margins.target_cosine(torch.cos(theta), margin).diff() < 0).all())
        rises_within = margin.beyond == "easy" and margin.bends
        if rises_within:
            continue  # easy margin jumps up where cos θ = 0, as in the reference
        assert falls == (margin.beyond != "none"), margin


def test_easy_margin_leaves_faces_beyond_a_right_angle_alone() -> None:
    cosine = torch.tensor([0.5, 0.0, -0.5])
    easy = margins.target_cosine(cosine, margins.arcface(0.5, easy=True))
    assert easy.tolist() == pytest.approx([math.cos(math.acos(0.5) + 0.5), 0.0, -0.5], abs=1e-6)


def test_a_label_of_minus_one_counts_in_no_loss() -> None:
    features, centres = torch.randn(5, 4), torch.randn(3, 4)
    cosine = margins.cosines(features, centres)
    labels = torch.tensor([0, -1, 2, -1, 1])
    kept = labels >= 0
    for margin in ALL:
        with_them = margins.margin_loss(cosine, labels, margin)
        assert torch.allclose(with_them, margins.margin_loss(cosine[kept], labels[kept], margin))
    for loss in (margins.intra_loss, lambda _, y: margins.inter_loss(centres, y)):
        assert torch.allclose(loss(cosine, labels), loss(cosine[kept], labels[kept]))
    plain = margins.softmax_loss(features, centres, labels)
    assert torch.allclose(plain, margins.softmax_loss(features[kept], centres, labels[kept]))


def test_a_batch_without_any_label_costs_nothing_and_has_a_gradient_of_zero() -> None:
    cosine = torch.rand(3, 4, requires_grad=True)
    labels = torch.full((3,), -1)
    (margins.margin_loss(cosine, labels, margins.arcface()) + margins.intra_loss(cosine, labels)).backward()
    assert cosine.grad.abs().max() == 0


def test_intra_inter_and_triplet_losses_are_the_angles_of_the_paper() -> None:
    centres = torch.tensor([[1.0, 0.0], [0.0, 2.0], [-3.0, 0.0]], dtype=torch.float64)
    faces = torch.tensor([[1.0, 1.0], [0.0, 1.0]], dtype=torch.float64)
    labels = torch.tensor([0, 1])
    assert margins.intra_loss(margins.cosines(faces, centres), labels).item() == pytest.approx((0.25 + 0) / 2, abs=1e-6)
    # Centre 0 lies at 90° and 180° from the others, centre 1 at 90° and 90°.
    assert margins.inter_loss(centres, labels).item() == pytest.approx(-(0.5 + 1.0 + 0.5 + 0.5) / 4, abs=1e-6)
    near, far = torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 1.0]])
    anchor = torch.tensor([[1.0, 1.0]])
    assert margins.triplet_loss(anchor, near, far, 0.3).item() == pytest.approx(0.3, abs=1e-6)
    assert margins.triplet_loss(near, anchor, far, 0.3).item() == 0.0


def test_the_losses_in_angles_have_the_numerical_gradients() -> None:
    generator = torch.Generator().manual_seed(5)
    one, two, three = (torch.randn(4, 5, generator=generator, dtype=torch.float64) for _ in range(3))
    labels = torch.tensor([0, 2, -1, 3])
    check = torch.autograd.gradcheck
    assert check(lambda x: margins.intra_loss(margins.cosines(x, two), labels), one.clone().requires_grad_())
    assert check(lambda w: margins.inter_loss(w, labels), two.clone().requires_grad_())
    inputs = tuple(t.clone().requires_grad_() for t in (one, two, three))
    assert check(lambda a, p, n: margins.triplet_loss(a, p, n, 1.0), inputs)


def test_a_face_takes_the_nearest_of_its_classs_sub_centres() -> None:
    cosine = torch.tensor([[0.1, 0.9, 0.3, -0.2]])
    assert margins.nearest_subcentre(cosine, 2).tolist() == [[pytest.approx(0.9), pytest.approx(0.3)]]
    assert margins.nearest_subcentre(cosine, 1) is cosine


@pytest.mark.parametrize(
    "values",
    [{"scale": 0.0}, {"m1": 0.5}, {"m2": 4.0}, {"m3": -1.0}, {"beyond": "x"}, {"normalised": False, "m2": 0.5}],
)
def test_a_margin_that_makes_no_sense_is_refused(values: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"must|takes|is an angle"):
        Margin(**values)


class TestAgainstPytorchMetricLearning:
    """The same loss and gradients as the widely used library, on random faces at all angles."""

    N, D, CLASSES = 64, 8, 6

    def compare(self, theirs: object, margin: Margin, subcentres: int = 1, *, unit: bool = False) -> None:
        generator = torch.Generator().manual_seed(1)
        features = torch.randn(self.N, self.D, generator=generator, dtype=torch.float64)
        labels = torch.arange(self.N) % self.CLASSES
        if unit:
            features = F.normalize(features)
        own, other = features.clone().requires_grad_(), features.clone().requires_grad_()
        loss = theirs(other, labels)
        loss.backward()
        centres = theirs.W.detach().T.clone().requires_grad_()
        cosine = margins.nearest_subcentre(margins.cosines(own, centres), subcentres)
        mine = margins.margin_loss(cosine, labels, margin)
        mine.backward()
        assert mine.item() == pytest.approx(loss.item(), rel=1e-9)
        np.testing.assert_allclose(own.grad.numpy(), other.grad.numpy(), atol=1e-9)
        np.testing.assert_allclose(centres.grad.numpy().T, theirs.W.grad.numpy(), atol=1e-9)

    @pytest.fixture
    def losses(self) -> object:
        reason = "pytorch-metric-learning is not installed"
        return pytest.importorskip("pytorch_metric_learning.losses", reason=reason)

    def test_arcface(self, losses: object) -> None:
        theirs = losses.ArcFaceLoss(self.CLASSES, self.D, margin=math.degrees(0.5), scale=64).double()
        self.compare(theirs, margins.arcface())

    def test_cosface(self, losses: object) -> None:
        self.compare(losses.CosFaceLoss(self.CLASSES, self.D, margin=0.35, scale=64).double(), margins.cosface())

    def test_normalised_softmax(self, losses: object) -> None:
        theirs = losses.NormalizedSoftmaxLoss(self.CLASSES, self.D, temperature=1 / 16).double()
        self.compare(theirs, margins.normalised_softmax(16))

    @pytest.mark.filterwarnings("ignore:__array_wrap__:DeprecationWarning")
    def test_sphereface_with_a_whole_factor(self, losses: object) -> None:
        """Theirs multiplies with the features' length and knows whole factors only: 4, features of length 1."""
        theirs = losses.SphereFaceLoss(self.CLASSES, self.D, margin=4, scale=30).double()
        generator = torch.Generator().manual_seed(1)
        features = F.normalize(torch.randn(self.N, self.D, generator=generator, dtype=torch.float64))
        labels = torch.arange(self.N) % self.CLASSES
        centres = theirs.W.detach().T
        mine = margins.margin_loss(margins.cosines(features, centres), labels, margins.sphereface(4.0, 30))
        assert mine.item() == pytest.approx(theirs(features, labels).item(), rel=1e-9)

    def test_sub_centre_arcface(self, losses: object) -> None:
        theirs = losses.SubCenterArcFaceLoss(
            num_classes=self.CLASSES, embedding_size=self.D, margin=math.degrees(0.5), scale=64, sub_centers=3
        ).double()
        self.compare(theirs, margins.arcface(), 3)


class TestMistakesOfTutorials:
    """What articles on ArcFace get wrong, and that it matters."""

    def test_a_margin_outside_the_cosine_helps_the_face_instead_of_hindering_it(self) -> None:
        """s·(cos θ + m) in place of s·cos(θ + m): a bracket, and the logit grows."""
        cosine = torch.linspace(-0.9, 0.95, 50, dtype=torch.float64)
        outside = cosine + 0.5
        inside = margins.target_cosine(cosine, margins.arcface(0.5))
        assert bool((inside < cosine).all())
        assert bool((outside > cosine).all())

    def test_without_a_scale_the_loss_of_a_perfect_face_stays_large(self) -> None:
        """Cosines end at 1: with ten classes and s = 1 no face's probability passes 0.46, however good it is."""
        perfect = torch.full((1, 10), -1.0)
        perfect[0, 0] = 1.0
        label = torch.tensor([0])
        without = margins.margin_loss(perfect, label, margins.normalised_softmax(1.0)).item()
        assert without == pytest.approx(math.log(1 + 9 * math.exp(-2)), rel=1e-6)
        assert math.exp(-without) < 0.46
        assert margins.margin_loss(perfect, label, margins.normalised_softmax(64.0)).item() < 1e-6
        assert margins.margin_loss(perfect, label, margins.arcface()).item() < 1e-6

    def test_clipping_the_cosine_stops_learning_at_the_ends_and_does_nothing_in_half_precision(self) -> None:
        clipped = torch.tensor([1.0, -1.0], requires_grad=True)
        torch.acos(clipped.clip(-1 + 1e-7, 1 - 1e-7)).sum().backward()
        assert clipped.grad.tolist() == [0.0, 0.0]
        ours = torch.tensor([1.0, -1.0], requires_grad=True)
        margins.angle(ours).sum().backward()
        assert bool((ours.grad < 0).all())
        assert torch.isfinite(ours.grad).all()
        half = torch.tensor([1.0], dtype=torch.float16, requires_grad=True)
        torch.acos(half.clip(-1 + 1e-7, 1 - 1e-7)).sum().backward()
        assert not torch.isfinite(half.grad).all()

    def test_a_margin_put_in_without_autograd_loses_its_slope(self) -> None:
        """Replacing the target logit inside no_grad trains with s for a slope, not s·sin(θ + m)/sin θ."""
        value = 0.8
        cosine = torch.tensor([[value, 0.3]], dtype=torch.float64, requires_grad=True)
        logits = cosine * 1.0
        with torch.no_grad():
            logits[0, 0] = math.cos(math.acos(value) + 0.5)
        (slope,) = torch.autograd.grad(logits[0, 0], cosine)
        true = torch.autograd.grad(
            margins.margin_logits(cosine, torch.tensor([0]), margins.arcface(0.5, 1.0))[0, 0], cosine
        )
        assert slope[0, 0].item() == 1.0
        assert true[0][0, 0].item() == pytest.approx(math.sin(math.acos(value) + 0.5) / 0.6, rel=1e-9)

    def test_the_sum_runs_over_the_other_classes_angles(self) -> None:
        """Writing cos θ_y for every class in the denominator makes the loss blind to the other centres."""
        label = torch.tensor([0])
        near = margins.margin_loss(torch.tensor([[0.8, 0.7]]), label, margins.arcface())
        far = margins.margin_loss(torch.tensor([[0.8, -0.7]]), label, margins.arcface())
        assert near.item() > far.item() + 10

    def test_the_loss_is_the_logarithm_of_the_probability(self) -> None:
        """Minus the probability itself, without the logarithm, hardly moves a face that is quite wrong."""
        cosine = torch.tensor([[-0.5, 0.9]], requires_grad=True)
        label = torch.tensor([0])
        (true,) = torch.autograd.grad(margins.margin_loss(cosine, label, margins.arcface()), cosine)
        probability = F.softmax(margins.margin_logits(cosine, label, margins.arcface()), dim=1)[0, 0]
        (flat,) = torch.autograd.grad(-probability, cosine)
        assert true.abs().max().item() > 10
        assert flat.abs().max().item() < 1e-10
