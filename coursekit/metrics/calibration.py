"""Do draws from a posterior spread as far as the truth does? By ranks."""

from torch import Tensor


def ranks(draws: Tensor, truth: Tensor) -> Tensor:
    """How many of S draws lie below the truth, number by number: (S, *), (*) -> (*), 0 .. S.

    Where truth and draws come from one distribution, each of the S + 1 ranks is as likely: a histogram of
    ranks is flat. It is a valley where the draws spread too little, a hill where they spread too far, a slope
    where they are shifted. Of ties half counts as below, rounded down.

    Raises:
        ValueError: shapes that do not fit.

    Source: Talts et al. 2018 (arXiv:1804.06788), section 4.
    """
    if draws.shape[1:] != truth.shape or len(draws) < 2:
        raise ValueError(
            f"draws have shape {tuple(draws.shape)}, truth {tuple(truth.shape)}; expected (S, *) and (*),"
            " S at least 2"
        )
    below, equal = (draws < truth).sum(0), (draws == truth).sum(0)
    return below + equal // 2
