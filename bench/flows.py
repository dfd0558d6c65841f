"""How fast do flows train beside those of zuko, normflows and nflows? Equal structure and size, on 2 threads.

Every side has the same couplings or masked layers over the same perceptrons; the numbers of parameters are
printed beside the times. The log-scale of our affine couplings is bound by 1, as that of our masked layers.
All step with fused Adam: ours with the trainer's, the others with torch's, whose steps are the same bit for
bit.
"""

import math
import sys
from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn
from torch.optim import Adam

from bench.pairs import Loss, launched, ratio, training
from coursekit.models import flows
from coursekit.train.optim import ListedAdam

HIDDEN, BINS, BOUND, LAYERS = 64, 8, 3.0, 8
BATCH, STEPS, THREADS, NEEDED = 128, 20, 2, 1.3


def ours(flow: flows.Flow) -> tuple[nn.Module, Loss]:
    """A flow of coursekit."""
    return flow, lambda x: next(flow.losses(x))[1]


def zuko_flow(flow: nn.Module) -> tuple[nn.Module, Loss]:
    """A flow of zuko."""
    return flow, lambda x: -flow().log_prob(x).mean()


def zuko_coupling(dim: int, spline: bool = False) -> tuple[nn.Module, Loss]:
    """zuko's RealNVP, or the same with splines; the masks are checkered, and take turns."""
    import zuko
    from zuko.transforms import MonotonicRQSTransform

    sizes = {"transforms": LAYERS, "hidden_features": (HIDDEN, HIDDEN)}
    if spline:
        sizes["univariate"] = partial(MonotonicRQSTransform, bound=BOUND)
        sizes["shapes"] = [(BINS,), (BINS,), (BINS - 1,)]
    return zuko_flow(zuko.flows.NICE(dim, **sizes))


def zuko_maf(dim: int) -> tuple[nn.Module, Loss]:
    """zuko's MAF; the order is reversed from layer to layer."""
    import zuko

    return zuko_flow(zuko.flows.MAF(dim, transforms=LAYERS, hidden_features=(HIDDEN, HIDDEN)))


def normflows_model(layers: list[nn.Module], dim: int) -> tuple[nn.Module, Loss]:
    """normflows keeps its layers from base to data."""
    import normflows

    base = normflows.distributions.DiagGaussian(dim, trainable=False)
    model = normflows.NormalizingFlow(base, layers)
    return model, model.forward_kld


def normflows_real_nvp(dim: int) -> tuple[nn.Module, Loss]:
    """Affine couplings of halves, which are swapped after each."""
    import normflows

    layers: list[nn.Module] = []
    for _ in range(LAYERS):
        net = normflows.nets.MLP([dim // 2, HIDDEN, HIDDEN, dim])
        layers += [normflows.flows.AffineCouplingBlock(net), normflows.flows.Permute(dim, mode="swap")]
    return normflows_model(layers, dim)


def nflows_model(layers: list[nn.Module], dim: int) -> tuple[nn.Module, Loss]:
    """A flow of nflows."""
    from nflows.distributions.normal import StandardNormal
    from nflows.flows.base import Flow
    from nflows.transforms.base import CompositeTransform

    flow = Flow(CompositeTransform(layers), StandardNormal([dim]))
    return flow, lambda x: -flow.log_prob(x).mean()


class Perceptron(nn.Sequential):
    """The net of nflows's couplings, as the other sides have it; its own are residual."""

    def __init__(self, n_in: int, n_out: int):
        act = nn.ReLU
        hidden = (nn.Linear(n_in, HIDDEN), act(), nn.Linear(HIDDEN, HIDDEN), act())
        super().__init__(*hidden, nn.Linear(HIDDEN, n_out))

    def forward(self, x: Tensor, context: None = None) -> Tensor:
        return super().forward(x)


def nflows_coupling(dim: int, spline: bool = False) -> tuple[nn.Module, Loss]:
    """Couplings with masks that take turns; normflows's spline couplings are a copy of these."""
    from nflows.transforms.coupling import (
        AffineCouplingTransform,
        PiecewiseRationalQuadraticCouplingTransform,
    )

    masks = [torch.arange(dim) % 2 == i % 2 for i in range(LAYERS)]
    if not spline:
        return nflows_model([AffineCouplingTransform(mask.int(), Perceptron) for mask in masks], dim)
    form = {"num_bins": BINS, "tails": "linear", "tail_bound": BOUND}
    layers = [PiecewiseRationalQuadraticCouplingTransform(mask.int(), Perceptron, **form) for mask in masks]
    return nflows_model(layers, dim)


def masked_layers(dim: int, package: str) -> list[nn.Module]:
    """MAF's layers of nflows, or the copy of them in normflows, and reversals between."""
    sizes = {"features": dim, "hidden_features": HIDDEN, "num_blocks": 1}
    sizes |= {"use_residual_blocks": False}
    layers: list[nn.Module] = []
    for _ in range(LAYERS):
        if package == "nflows":
            from nflows.transforms.autoregressive import MaskedAffineAutoregressiveTransform
            from nflows.transforms.permutations import ReversePermutation

            layers += [MaskedAffineAutoregressiveTransform(**sizes), ReversePermutation(dim)]
        else:
            from normflows.flows.affine import MaskedAffineAutoregressive

            layers.append(MaskedAffineAutoregressive(**sizes))
    return layers


HALVES = {"layers": LAYERS, "hidden": (HIDDEN, HIDDEN), "act_norm": False}
SPLINES = HALVES | {"bins": BINS, "bound": BOUND, "linear": False}
CASES: dict[str, dict[str, Callable[[], tuple[nn.Module, Loss]]]] = {
    f"RealNVP, {dim}-D": {
        "ours": lambda dim=dim: ours(flows.real_nvp(dim, bound=1.0, **HALVES)),
        "zuko": partial(zuko_coupling, dim),
        "normflows": partial(normflows_real_nvp, dim),
        "nflows": partial(nflows_coupling, dim),
    }
    for dim in (2, 64)
}
for dim in (2, 64):
    CASES[f"spline coupling, {dim}-D"] = {
        "ours": lambda dim=dim: ours(flows.spline_flow(dim, **SPLINES)),
        "zuko": partial(zuko_coupling, dim, True),
        "nflows": partial(nflows_coupling, dim, True),
    }
    CASES[f"MAF, {dim}-D"] = {
        "ours": lambda dim=dim: ours(flows.maf(dim, **HALVES)),
        "zuko": partial(zuko_maf, dim),
        "normflows": lambda dim=dim: normflows_model(masked_layers(dim, "normflows"), dim),
        "nflows": lambda dim=dim: nflows_model(masked_layers(dim, "nflows"), dim),
    }
"""What is compared, by name: the makers of each side's model."""
SHAPES: dict[str, tuple[int, ...]] = {name: (int(name.split()[-1][:-2]),) for name in CASES}


def size(make: Callable[[], tuple[nn.Module, Loss]]) -> int:
    """Number of parameters that are trained."""
    return sum(p.numel() for p in make()[0].parameters() if p.requires_grad)


def main(launches: int = 3, blocks: int = 7) -> bool:
    """Print the ratios, each over fresh processes; returns whether each median is enough."""
    print(
        f"flows, training steps/s over a peer's, {LAYERS} layers, hidden ({HIDDEN}, {HIDDEN}), batch {BATCH},"
        f" {THREADS} threads, {launches} launches of {blocks} pairs: median [range], at least {NEEDED}"
    )
    least = math.inf
    for case, sides in CASES.items():
        sizes = {side: size(make) for side, make in sides.items()}
        for side in sides:
            if side == "ours":
                continue
            speed = launched("bench.flows", [case, side, str(blocks)], launches)
            least = min(least, speed.median)
            print(f"  {case:20} {side:9} {speed}   {sizes['ours']:,} and {sizes[side]:,} parameters")
    return least >= NEEDED


if __name__ == "__main__":
    torch.set_num_threads(THREADS)
    case, side, blocks = sys.argv[1:]
    one, other = (
        training(CASES[case][name], partial(torch.randn, BATCH, *SHAPES[case]), STEPS, optimizer)
        for name, optimizer in ((side, Adam), ("ours", ListedAdam))
    )
    result = ratio(one, other, int(blocks))
    print(result.median)
