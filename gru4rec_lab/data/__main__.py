"""Fetch and prepare a public set of clicks, once: `python -m gru4rec_lab.data e-shop`."""

import sys
from argparse import ArgumentParser

from .download import fetch
from .recipes import RECIPES, load_recipe


def main(arguments: list[str] | None = None) -> None:
    """Download the named set, or take a file that was downloaded by hand; say what is in it."""
    parser = ArgumentParser("python -m gru4rec_lab.data", description=__doc__)
    parser.add_argument("name", choices=RECIPES, help="the data set")
    parser.add_argument("file", nargs="?", help="the archive or file, if you downloaded it already")
    asked = parser.parse_args(arguments)
    recipe = RECIPES[asked.name]
    try:
        path = fetch(recipe, asked.file)
        print(load_recipe(recipe).summary())
    except (OSError, RuntimeError, ValueError) as error:
        sys.exit(f"{recipe.name}: {error}")
    except KeyboardInterrupt:
        sys.exit(f"{recipe.name}: interrupted, nothing was kept")
    print(f"{path}\nfrom {recipe.page}\nlicence {recipe.licence}")


if __name__ == "__main__":
    main()
