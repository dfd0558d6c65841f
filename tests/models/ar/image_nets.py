"""The networks of image models, small, for whatever shape and output a test wants."""

from functools import partial

import torch

from coursekit.nets import FVBN, MADE, NADE, CausalNet, DiagonalBiLSTM, GatedPixelCNN, PixelCNN, RowLSTM

CONVOLUTIONS = {
    "pixelcnn": partial(PixelCNN, width=6, layers=4, first=3),
    "gated": partial(GatedPixelCNN, width=24, layers=5, first=3),
    "row lstm": partial(RowLSTM, width=6, layers=2, first=3),
    "diagonal bilstm": partial(DiagonalBiLSTM, width=6, layers=2, first=3),
}
NETS = CONVOLUTIONS | {
    "fvbn": FVBN,
    "nade": partial(NADE, hidden=10),
    "made": partial(MADE, hidden=(40,)),
    "made, two layers": partial(MADE, hidden=(100, 100), direct=False),
}


def net(name: str, shape: tuple[int, int, int], **sizes) -> CausalNet:
    """In double precision, with weights large enough that nothing is nearly independent of anything."""
    torch.manual_seed(0)
    made = NETS[name](shape, **sizes).double()
    for p in made.parameters():
        torch.nn.init.normal_(p, std=0.5)
    return made.eval()
