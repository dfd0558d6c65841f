"""Networks, tensor to tensor: they know nothing of probability."""

from coursekit.nets.causal import CausalConv2d, CausalNet, raster
from coursekit.nets.condition import condition_vector, drop_condition
from coursekit.nets.conv import ConvDecoder, ConvEncoder, ConvFeatures
from coursekit.nets.cross import CrossAttention, EncoderDecoder, Prefix, TokenEmbedding
from coursekit.nets.dcgan import DCGANCritic, DCGANGenerator
from coursekit.nets.dit import AdaptiveBlock, DiT
from coursekit.nets.embed import ImageTimeMLP, TimeEmbedding, TimeMLP, fourier_features
from coursekit.nets.gpt2 import load_gpt2
from coursekit.nets.made import FVBN, MADE, NADE, MaskedLinear
from coursekit.nets.masked import MaskedMLP
from coursekit.nets.mlp import MLP
from coursekit.nets.patchgan import PATCHES, PatchGAN
from coursekit.nets.pixelcnn import GatedPixelCNN, PixelCNN
from coursekit.nets.pixelrnn import DiagonalBiLSTM, RowLSTM
from coursekit.nets.projection import Projection
from coursekit.nets.resnet import ResNetCritic, ResNetGenerator
from coursekit.nets.rnn import RNN, RNNMemory
from coursekit.nets.same_size import Beside, ConvNet, GatedConvNet
from coursekit.nets.transformer import Block, KeyValueMemory, Transformer
from coursekit.nets.translator import Translator
from coursekit.nets.unet import UNet

__all__ = [
    "FVBN",
    "MADE",
    "MLP",
    "NADE",
    "PATCHES",
    "RNN",
    "AdaptiveBlock",
    "Beside",
    "Block",
    "CausalConv2d",
    "CausalNet",
    "ConvDecoder",
    "ConvEncoder",
    "ConvFeatures",
    "ConvNet",
    "CrossAttention",
    "DCGANCritic",
    "DCGANGenerator",
    "DiT",
    "DiagonalBiLSTM",
    "EncoderDecoder",
    "GatedConvNet",
    "GatedPixelCNN",
    "ImageTimeMLP",
    "KeyValueMemory",
    "MaskedLinear",
    "MaskedMLP",
    "PatchGAN",
    "PixelCNN",
    "Prefix",
    "Projection",
    "RNNMemory",
    "ResNetCritic",
    "ResNetGenerator",
    "RowLSTM",
    "TimeEmbedding",
    "TimeMLP",
    "TokenEmbedding",
    "Transformer",
    "Translator",
    "UNet",
    "condition_vector",
    "drop_condition",
    "fourier_features",
    "load_gpt2",
    "raster",
]
