"""A noise schedule that is learnt (Kingma et al. 2021, arXiv:2107.00630)."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from coursekit.models.diffusion.path import VariancePreserving


class LearnedLogSNR(VariancePreserving):
    """log-SNR(t) falls from `first` to `last` as m(t) = (h(t) - h(0)) / (h(1) - h(0)) rises from 0 to 1.

    h is a line plus sigmoids of t, with positive slopes: a monotone network with one hidden layer. At t = 0
    alpha is below 1, and sigma above 0.

    Args:
        first, last: log-SNR at t = 0 and at t = 1, where training begins; first above last.
        width: number of sigmoids.

    Source: Kingma et al. 2021, appendix H.
    """

    def __init__(self, first: float = 13.3, last: float = -5.0, width: int = 16):
        super().__init__()
        if not first > last or width < 1:
            raise ValueError(
                f"first is {first}, last is {last}, width is {width}; expected first above last, width > 0"
            )
        self.first, self.last = nn.Parameter(torch.tensor(first)), nn.Parameter(torch.tensor(last))
        self.line, self.heights = nn.Parameter(torch.tensor(0.5)), nn.Parameter(torch.full((width,), -3.0))
        self.rates = nn.Parameter(torch.full((width,), 4.0))
        self.places = nn.Parameter(torch.linspace(0, 1, width))

    def log_snr(self, t: Tensor) -> Tensor:
        """first - (first - last) m(t)."""
        start, end = self._h(torch.zeros_like(t)), self._h(torch.ones_like(t))
        return self.first - (self.first - self.last) * (self._h(t) - start) / (end - start)

    def log_alpha_bar(self, t: Tensor) -> Tensor:
        """log sigmoid(log-SNR)."""
        return F.logsigmoid(self.log_snr(t))

    def fall(self, t: Tensor) -> Tensor:
        """-d log-SNR / dt, above 0."""
        rise = self._h(torch.ones_like(t)) - self._h(torch.zeros_like(t))
        on = self._units(t)
        slope = F.softplus(self.line) + (self._heights() * F.softplus(self.rates) * on * (1 - on)).sum(-1)
        return (self.first - self.last) * slope / rise

    def beta(self, t: Tensor) -> Tensor:
        """sigma^2 times the fall of log-SNR."""
        return (-self.log_snr(t)).sigmoid() * self.fall(t)

    def _h(self, t: Tensor) -> Tensor:
        return F.softplus(self.line) * t + (self._heights() * self._units(t)).sum(-1)

    def _units(self, t: Tensor) -> Tensor:
        return (F.softplus(self.rates) * (t[..., None] - self.places)).sigmoid()  # (B, width)

    def _heights(self) -> Tensor:
        return F.softplus(self.heights)
