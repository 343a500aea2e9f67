"""The LossExplorer as one HTML file that needs no installation: `make page` writes it.

It opens from a disk, computes and draws by itself, and holds all it needs: the modules of
JavaScript beside this one (the losses once more, and what shows them), those of `widgets.picture`
that draw, and the scores of a trained model. `build` puts them together.
"""
