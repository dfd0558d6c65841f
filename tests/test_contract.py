"""What every model promises, held against each of them: a new model is one more line in MODELS."""

import copy
import math
from collections.abc import Callable
from functools import partial

import pytest
import torch
from torch import nn
from torch.distributions import Distribution
from torch.testing import assert_close

from coursekit.models.ar import (
    BernoulliOutput,
    CategoricalOutput,
    LanguageModel,
    LogisticMixtureOutput,
    PixelModel,
)
from coursekit.models.ar.pixels import Output
from coursekit.models.diffusion import (
    DDPM,
    EDM,
    NCSN,
    VDM,
    Cosine,
    Diffusion,
    Explicit,
    FlowMatching,
    LearnedRange,
    Linear,
    ScoreModel,
    ScoreSDE,
    SequenceDenoiser,
    Sliced,
    Velocity,
)
from coursekit.models.flows import (
    Dequantized,
    Flow,
    glow,
    iaf,
    image_noise,
    image_real_nvp,
    maf,
    multiscale_real_nvp,
    nice,
    real_nvp,
    spline_flow,
)
from coursekit.models.gan import (
    GAN,
    R1,
    CycleGAN,
    GradientPenalty,
    Hinge,
    LeastSquares,
    Pix2Pix,
    Wasserstein,
    spectral_norm,
)
from coursekit.models.vae import (
    IWAE,
    PCA,
    VAE,
    Autoencoder,
    BernoulliDecoder,
    GaussianDecoder,
    LinearGaussian,
)
from coursekit.nets import (
    FVBN,
    MADE,
    MLP,
    NADE,
    RNN,
    CausalNet,
    ConvDecoder,
    ConvEncoder,
    DCGANCritic,
    DCGANGenerator,
    DiagonalBiLSTM,
    EncoderDecoder,
    GatedPixelCNN,
    PatchGAN,
    PixelCNN,
    Prefix,
    ResNetCritic,
    ResNetGenerator,
    RowLSTM,
    TimeMLP,
    Transformer,
    Translator,
    UNet,
)
from coursekit.protocols import HasDecode, HasELBO, HasEncode, HasLogProb, HasSample, Trainable

SHAPE, LATENT, CLASSES, FEATURES = (1, 8, 8), 3, 4, 6
LAYERS = ((4, 2), (2, 1))  # of critics of patches


def mlps(out: int, c_dim: int = 0) -> tuple[nn.Module, nn.Module]:
    return MLP(SHAPE, out, (16,), c_dim), MLP(LATENT, math.prod(SHAPE), (16,), c_dim)


def vae(c_dim: int = 0, learn_variance: bool = False) -> VAE:
    encoder, net = mlps(2 * LATENT, c_dim)
    return VAE(encoder, GaussianDecoder(net, SHAPE, 0.5, learn_variance), LATENT)


def binary_vae(c_dim: int = 0) -> VAE:
    encoder, net = mlps(2 * LATENT, c_dim)
    return VAE(encoder, BernoulliDecoder(net, SHAPE), LATENT, beta=2.0, analytic_kl=False)


def conv_vae(c_dim: int = 0) -> VAE:
    encoder = ConvEncoder(SHAPE, 2 * LATENT, 4, c_dim)
    return VAE(encoder, BernoulliDecoder(ConvDecoder(LATENT, SHAPE, 4, c_dim), SHAPE), LATENT)


def prior_vae(c_dim: int, cls: type[VAE] = VAE) -> VAE:
    """Its prior is learnt."""
    encoder, net = mlps(2 * LATENT, c_dim)
    prior_net = MLP(0, 2 * LATENT, (16,), c_dim)
    return cls(encoder, GaussianDecoder(net, SHAPE, 0.5), LATENT, prior_net=prior_net)


def iwae(c_dim: int = 0) -> IWAE:
    encoder, net = mlps(2 * LATENT, c_dim)
    return IWAE(encoder, BernoulliDecoder(net, SHAPE), LATENT, k=3)


def point_gan(c_dim: int = 0, **keywords) -> GAN:
    """Its critic has no last bias, since some objectives don't see one."""
    critic = MLP(FEATURES, 1, (16,), c_dim)
    critic.layers[-1] = nn.Linear(16, 1, bias=False)
    return GAN(MLP(LATENT, FEATURES, (16,), c_dim), critic, LATENT, **keywords)


def dcgan(c_dim: int = 0) -> GAN:
    return GAN(DCGANGenerator(LATENT, SHAPE, 4, c_dim), DCGANCritic(SHAPE, 4, c_dim), LATENT)


def resnet_gan(c_dim: int = 0) -> GAN:
    critic = spectral_norm(ResNetCritic(SHAPE, 4, c_dim))
    return GAN(ResNetGenerator(LATENT, SHAPE, 4, c_dim), critic, LATENT, LeastSquares())


def pix2pix() -> Pix2Pix:
    return Pix2Pix(Translator(width=4, blocks=1), PatchGAN(1, 1, LAYERS, 4), l1=1.0)


def cyclegan() -> CycleGAN:
    nets = [Translator(width=4, blocks=1, skips=False) for _ in range(2)]
    critics = [PatchGAN(1, 0, LAYERS, 4) for _ in range(2)]
    return CycleGAN(*nets, *critics, [SHAPE, SHAPE], cycle=1.0, identity=1.0)


def linear_gaussian() -> LinearGaussian:
    return LinearGaussian(torch.randn(FEATURES, 2), torch.randn(FEATURES), 0.3)


def pixels(net: type[CausalNet], output: Output, c_dim: int = 0, **sizes) -> PixelModel:
    sizes |= {"out_features": output.features, "levels": output.levels, "c_dim": c_dim}
    return PixelModel(net(SHAPE, **sizes), output)


def symbols(net: type[nn.Module], c_dim: int = 0, **sizes) -> LanguageModel:
    return LanguageModel(net(6, width=8, layers=2, c_dim=c_dim, **sizes), begin=0, length=7)


def answers(net: nn.Module) -> LanguageModel:
    """Its condition is a sequence of symbols."""
    return LanguageModel(net, begin=0, length=7)


def levels(flow: Callable[..., Flow], c_dim: int = 0, noise: bool = False, **sizes) -> Dequantized:
    learnt = image_noise(SHAPE, 5, 2, 4, c_dim) if noise else None
    return shaken(Dequantized(flow(SHAPE, c_dim=c_dim, **sizes), 5, learnt))


def shaken(model: nn.Module) -> nn.Module:
    """Every parameter moved a little: a coupling starts as the identity, which no gradient passes."""
    with torch.no_grad():
        for p in model.parameters():
            p.add_(0.02 * torch.randn_like(p))
    return model


def diffusion(kind: Callable[..., nn.Module], c_dim: int = 0, outputs: int = 1, **keywords) -> nn.Module:
    """Of vectors, with samplers and likelihoods of few steps."""
    net = TimeMLP(FEATURES, (16,), c_dim, outputs * FEATURES)
    return few_steps(kind(net, (FEATURES,), **keywords))


def unet_ddpm(c_dim: int = 0) -> DDPM:
    net = shaken(UNet(SHAPE, width=8, multipliers=(1, 2), blocks=1, c_dim=c_dim))
    return few_steps(DDPM(net, SHAPE, Cosine(4), levels=17, clip=1.0))


def few_steps(model: nn.Module) -> nn.Module:
    if isinstance(model, Diffusion | ScoreModel):
        model.steps, model.ode_steps = min(model.steps, 4), 2
    return model


VECTOR_FLOWS = {
    make.__name__: lambda c_dim=0, make=make: make(FEATURES, 3, (16,), c_dim)
    for make in (nice, real_nvp, spline_flow, maf, iaf)
}
IMAGE_FLOWS = {
    "real nvp of images": partial(levels, image_real_nvp, layers=2, width=4),
    "real nvp of images, learnt noise": partial(levels, image_real_nvp, noise=True, layers=2, width=4),
    "real nvp at two scales": partial(levels, multiscale_real_nvp, layers=(1, 2), widths=(4, 4)),
    "glow": partial(levels, glow, steps=1, width=4),
}
DIFFUSION = {
    "ddpm": partial(diffusion, DDPM, schedule=Linear(4)),
    "ddpm, v, condition dropped": partial(diffusion, DDPM, prediction=Velocity(), drop=0.3),
    "ddpm, learnt variance": partial(diffusion, DDPM, outputs=2, variance=LearnedRange()),
    "ncsn": partial(diffusion, NCSN, levels=2),
    "score sde": partial(diffusion, ScoreSDE),
    "flow matching": partial(diffusion, FlowMatching),
    "edm": partial(diffusion, EDM),
    "vdm": partial(diffusion, VDM),
    "sequences": partial(diffusion, SequenceDenoiser, schedule=Linear(4)),
    "score matching": partial(diffusion, ScoreModel),
    "score matching, explicit": partial(diffusion, ScoreModel, objective=Explicit()),
    "score matching, sliced": partial(diffusion, ScoreModel, objective=Sliced()),
}
IMAGE_DIFFUSION = {"ddpm of images": unet_ddpm}
POINT_GANS = {
    "gan": point_gan,
    "gan, hinge": partial(point_gan, objective=Hinge(), penalties=[R1()]),
    "gan, clipped": partial(point_gan, objective=Wasserstein(), clip=0.3, critic_steps=5),
    "gan, gradient penalty": partial(point_gan, objective=Wasserstein(), penalties=[GradientPenalty()]),
}
IMAGE_GANS = {"dcgan": dcgan, "residual gan, spectral norm": resnet_gan}
TRANSLATORS = {"pix2pix": pix2pix, "cyclegan": cyclegan}
TEXTS = {
    "rnn": partial(symbols, RNN, cell=nn.RNN),
    "gru": partial(symbols, RNN, cell=nn.GRU, embedding=4),
    "lstm": partial(symbols, RNN, cell=nn.LSTM),
    "gpt": partial(symbols, Transformer, context=9),
    "gpt, rotary": partial(symbols, Transformer, context=9, heads=2, rotary=True, bias=False),
}
ANSWERS = {
    "encoder-decoder": lambda: answers(EncoderDecoder(6, 6, 9, 7, 8, 1, 2)),
    "prefix": lambda: answers(Prefix(Transformer(6, 16, 8, 1, 2), 7)),
}
PIXELS = {
    "fvbn": partial(pixels, FVBN, BernoulliOutput()),
    "made": partial(pixels, MADE, BernoulliOutput(), hidden=(16, 16)),
    "nade": partial(pixels, NADE, BernoulliOutput(), hidden=8),
    "pixelcnn, softmax": partial(pixels, PixelCNN, CategoricalOutput(5), width=4, layers=2),
    "gated pixelcnn, mixture": partial(pixels, GatedPixelCNN, LogisticMixtureOutput(2, 9), width=4, layers=2),
    "row lstm": partial(pixels, RowLSTM, BernoulliOutput(), width=4),
    "diagonal bilstm": partial(pixels, DiagonalBiLSTM, BernoulliOutput(), width=4),
}
MODELS = (
    PIXELS
    | TEXTS
    | VECTOR_FLOWS
    | DIFFUSION
    | IMAGE_DIFFUSION
    | IMAGE_FLOWS
    | POINT_GANS
    | IMAGE_GANS
    | TRANSLATORS
    | ANSWERS
    | {
        "autoencoder": lambda: Autoencoder(*mlps(LATENT)),
        "vae": vae,
        "vae, learnt variance": lambda: vae(learn_variance=True),
        "vae, binary": binary_vae,
        "vae, convolutions": conv_vae,
        "iwae": iwae,
        "linear gaussian": linear_gaussian,
    }
)
CONDITIONAL = (
    PIXELS
    | TEXTS
    | VECTOR_FLOWS
    | DIFFUSION
    | IMAGE_DIFFUSION
    | IMAGE_FLOWS
    | POINT_GANS
    | IMAGE_GANS
    | {
        "vae": vae,
        "vae, binary": binary_vae,
        "vae, convolutions": conv_vae,
        "vae, learnt prior": prior_vae,
        "iwae": iwae,
        "iwae, learnt prior": partial(prior_vae, cls=IWAE),
    }
)


def example(name: str, model: nn.Module, n: int = 5, seed: int = 0) -> torch.Tensor:
    """Data of the kind the model is for: vectors, binary images, levels, symbols, or images in [-1, 1]."""
    g = torch.Generator().manual_seed(seed)
    if isinstance(model, LinearGaussian | Flow) or name in {*POINT_GANS, *DIFFUSION}:
        return torch.randn(n, FEATURES, generator=g)
    if isinstance(model, LanguageModel):
        return torch.randint(model.net.vocabulary, (n, model.length), generator=g)
    if isinstance(model, CycleGAN):
        return 2 * torch.rand(2, n, *SHAPE, generator=g) - 1
    x = torch.rand(n, *SHAPE, generator=g)
    if isinstance(model, PixelModel | Dequantized):
        return (x * getattr(model, "output", model).levels).floor()
    binary = isinstance(getattr(model, "decoder", None), BernoulliDecoder)
    return x.round() if binary else 2 * x - 1


def source(model: nn.Module, x: torch.Tensor) -> torch.Tensor | None:
    """The condition without which a model can do nothing: images to translate, or questions to answer."""
    asked = isinstance(model, LanguageModel) and isinstance(model.net, EncoderDecoder | Prefix)
    return x.flip(-1) if asked or isinstance(model, Pix2Pix) else None


def one_kind(model: nn.Module, x: torch.Tensor) -> torch.Tensor:
    """Of the pair of batches that CycleGAN trains on the first one; of others all of x."""
    return x[0] if isinstance(model, CycleGAN) else x


def run(
    model: nn.Module, x: torch.Tensor, c: torch.Tensor | None = None, seed: int = 1
) -> list[torch.Tensor]:
    """Everything the model can do with x, in one fixed order, from one seed."""
    torch.manual_seed(seed)
    out, c = [], source(model, x) if c is None else c
    if isinstance(model, Trainable):
        out += [loss for _, loss in model.losses(x, c)]
    out += [getattr(model, verb)(x, c) for verb in ("elbo", "log_prob") if hasattr(model, verb)]
    if isinstance(model, HasEncode):
        code = model.encode(one_kind(model, x), c)
        code = code.mean if isinstance(code, Distribution) else code
        decoded = model.decode(code, c)
        out += [code, decoded.mean if isinstance(decoded, Distribution) else decoded]
    if isinstance(model, HasSample):
        out.append(model.sample(len(x), c))
    return out


@pytest.fixture(params=MODELS)
def named(request, device):
    torch.manual_seed(0)
    return request.param, MODELS[request.param]().to(device)


def test_shapes_and_units(named, device):
    """Bounds and likelihoods are one finite number an example; samples and decodings look like the data."""
    name, model = named
    x = example(name, model).to(device)
    if isinstance(model, HasELBO):
        assert model.elbo(x).shape == (5,)
        assert model.elbo(x).isfinite().all()
    if isinstance(model, HasLogProb):
        log_prob = model.log_prob(x, source(model, x))
        assert log_prob.shape == (5,)
        assert not log_prob.isnan().any()
    if isinstance(model, HasSample):
        sample = model.sample(3, source(model, x[:3]))
        assert sample.shape == (3, *x.shape[1:])
        assert sample.dtype == x.dtype
        assert not sample.requires_grad
    if isinstance(model, HasEncode) and isinstance(model, HasDecode):
        x = one_kind(model, x)
        code = model.encode(x)
        z = code.mean if isinstance(code, Distribution) else code
        decoded = model.decode(z)
        if isinstance(decoded, Distribution):
            assert decoded.batch_shape == (5,)
            decoded = decoded.mean
        assert decoded.reshape(x.shape).isfinite().all()


def test_every_parameter_gets_a_finite_gradient(named, device):
    """A part that the loss does not reach would stay at its first, random value."""
    name, model = named
    x = example(name, model).to(device)
    for player, loss in model.losses(x, source(model, x)):
        part = model if player == "model" else getattr(model, player)
        parameters = [p for p in part.parameters() if p.requires_grad]
        for p, grad in zip(parameters, torch.autograd.grad(loss, parameters), strict=True):
            assert grad.isfinite().all(), f"{player}: a gradient of shape {tuple(p.shape)} is not finite"
            assert grad.abs().sum() > 0, f"{player}: a gradient of shape {tuple(p.shape)} is zero"


def test_a_seed_decides_everything(named, device):
    name, model = named
    model.eval()
    x = example(name, model).to(device)
    for a, b in zip(run(model, x), run(model, x), strict=True):
        assert_close(a, b, rtol=0, atol=0)


def test_weights_saved_and_loaded_give_the_same_model(named, device, tmp_path):
    """Through safetensors, into a model that started from other weights."""
    from safetensors.torch import load_file, save_file

    name, model = named
    model.eval()
    save_file({k: v.contiguous() for k, v in model.state_dict().items()}, tmp_path / "model.safetensors")
    torch.manual_seed(99)
    other = MODELS[name]().to(device).eval()
    x = example(name, model).to(device)
    assert not all(torch.equal(a, b) for a, b in zip(run(model, x), run(other, x), strict=True))
    other.load_state_dict(load_file(tmp_path / "model.safetensors"))
    for a, b in zip(run(model, x), run(other, x), strict=True):
        assert_close(a, b, rtol=0, atol=0)


def test_no_tensor_is_made_on_a_device_of_its_own(named, device):
    """With another default device a tensor made without saying where would land there and clash."""
    name, model = named
    x = example(name, model).to(device)
    expected = run(model.eval(), x)
    torch.set_default_device("meta")
    try:
        actual = run(model, x)
    finally:
        torch.set_default_device(None)
    for a, b in zip(actual, expected, strict=True):
        assert_close(a, b, rtol=0, atol=0)


def test_double_precision_stays_double(named, device):
    name, model = named
    x = example(name, model).to(device)
    x = x.double() if x.is_floating_point() else x
    for result in run(model.double(), x):
        assert result.dtype == (torch.float64 if result.is_floating_point() else x.dtype)


def test_arguments_are_left_as_they_were(named, device):
    name, model = named
    x = example(name, model).to(device)
    before = x.clone()
    run(model, x)
    assert torch.equal(x, before)


def test_a_copy_is_independent(named, device):
    """What an EMA needs: a deep copy shares nothing with the original."""
    name, model = named
    x = example(name, model).to(device)
    other = copy.deepcopy(model).eval()
    before = run(other, x)
    with torch.no_grad():
        for p in model.parameters():
            p.add_(1.0)
    for a, b in zip(run(other, x), before, strict=True):
        assert_close(a, b, rtol=0, atol=0)


@pytest.mark.parametrize("name", CONDITIONAL)
def test_the_condition_matters_and_labels_equal_one_hot_rows(name, device):
    torch.manual_seed(0)
    model = CONDITIONAL[name](CLASSES).to(device).eval()
    x = example(name, model).to(device)
    labels = torch.arange(5, device=device) % CLASSES
    one_hot = nn.functional.one_hot(labels, CLASSES).float()
    assert model.sample(5, labels).shape == x.shape
    for a, b in zip(run(model, x, labels), run(model, x, one_hot), strict=True):
        assert_close(a, b)
    assert not torch.equal(run(model, x, labels)[0], run(model, x, (labels + 1) % CLASSES)[0])
    with pytest.raises(ValueError, match="needs a condition"):
        model.sample(5)


def test_a_missing_method_is_information():
    """An autoencoder has no distribution to draw from, PCA no loss to train on."""
    assert not isinstance(MODELS["autoencoder"](), HasSample | HasLogProb | HasELBO)
    assert not isinstance(PCA(2), Trainable | HasSample)
    assert all(isinstance(vae(), promise) for promise in (Trainable, HasLogProb, HasELBO))
