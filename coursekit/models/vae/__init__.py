"""From PCA to variational autoencoders."""

from coursekit.models.vae.autoencoder import Autoencoder
from coursekit.models.vae.decoders import BernoulliDecoder, GaussianDecoder
from coursekit.models.vae.iwae import IWAE
from coursekit.models.vae.linear_gaussian import LinearGaussian
from coursekit.models.vae.pca import PCA
from coursekit.models.vae.vae import VAE

__all__ = ["IWAE", "PCA", "VAE", "Autoencoder", "BernoulliDecoder", "GaussianDecoder", "LinearGaussian"]
