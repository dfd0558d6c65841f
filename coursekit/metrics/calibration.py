"""Do draws from a posterior spread as far as the truth does? By ranks, and by the coverage of intervals."""

from torch import Tensor


def ranks(draws: Tensor, truth: Tensor) -> Tensor:
    """How many of S draws lie below the truth, number by number: (S, *), (*) -> (*), 0 .. S.

    Where truth and draws come from one distribution, each of the S + 1 ranks is as likely: a histogram of
    ranks is flat. It is a valley where the draws spread too little, a hill where they spread too far, a slope
    where they are shifted. A tie counts half of it below.

    Raises:
        ValueError: shapes that do not fit.

    Source: Talts et al. 2018 (arXiv:1804.06788), section 4.
    """
    _check(draws, truth)
    below, equal = (draws < truth).sum(0), (draws == truth).sum(0)
    return below + equal // 2


def coverage(draws: Tensor, truth: Tensor, levels: Tensor) -> Tensor:
    """Share of the numbers that lie within the central interval of their draws: (S, *), (*), (L,) -> (L,).

    The interval of level p runs from the quantile (1 - p) / 2 of the S draws to the quantile (1 + p) / 2. It
    should hold a share p; less means that the draws are too sure. With few draws even exact ones fall short.

    Args:
        draws: (S, *), S at least 2.
        truth: (*).
        levels: p, each in (0, 1).

    Raises:
        ValueError: shapes that do not fit, or a level outside (0, 1).
    """
    _check(draws, truth)
    if not ((levels > 0) & (levels < 1)).all():
        raise ValueError(f"levels are {levels.tolist()}; expected numbers above 0 and below 1")
    levels = levels.to(draws)
    low, high = (draws.quantile(q, dim=0) for q in ((1 - levels) / 2, (1 + levels) / 2))  # (L, *)
    return ((low <= truth) & (truth <= high)).flatten(1).to(draws.dtype).mean(1)


def _check(draws: Tensor, truth: Tensor) -> None:
    if draws.shape[1:] != truth.shape or len(draws) < 2:
        raise ValueError(
            f"draws have shape {tuple(draws.shape)}, truth {tuple(truth.shape)}; expected (S, *) and (*),"
            " S at least 2"
        )
