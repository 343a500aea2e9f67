"""One colour and one dash a loss, the same in every picture.

The colours are those of Okabe & Ito, told apart with any kind of colour vision; the dashes keep
the lines apart in print without colour.
"""

LOSS_COLOURS = {
    "top1": "#E69F00",
    "bpr": "#0072B2",
    "top1-max": "#D55E00",
    "bpr-max": "#009E73",
    "cross-entropy": "#CC79A7",
}

# The -max losses are solid, what they come from is dashed.
LOSS_DASHES = {
    "top1": (0, (4, 2)),
    "bpr": (0, (4, 2)),
    "top1-max": "solid",
    "bpr-max": "solid",
    "cross-entropy": (0, (1, 1)),
}
