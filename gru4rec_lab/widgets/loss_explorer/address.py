"""The explorer's settings as the part of a link behind #, which opens the page with them."""

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlencode

from ...losses import LOSSES
from .settings import PAGE_CONTROLS, USED_BY


def address(settings: Mapping[str, Any], *, hide: Iterable[str] = ()) -> str:
    """The text behind # in a link to the page that opens it with these settings of a LossExplorer.

    What stands at its usual value or is not used by the source is left out, for a link that can be
    read and changed by hand: `source=gaussian&n_sample=512&losses=bpr,bpr-max`. `hide` names the
    controls that the page shall not show. A loss that the page does not have is named there.

    Raises:
        ValueError: an unknown setting.
    """
    usual = {name: control["value"] for name, control in PAGE_CONTROLS.items()}
    usual |= {"losses": list(LOSSES)}
    for name in settings:
        if name not in usual:
            raise ValueError(f"unknown setting {name!r}; choose one of {', '.join(usual)}")
    source = settings.get("source", usual["source"])
    unused = set().union(*USED_BY.values()) - USED_BY[source]
    kept = {"source": source} | {
        name: settings[name]
        for name in usual
        if name in settings and name not in unused and settings[name] != usual[name]
    }
    if hide := list(hide):
        kept["hide"] = hide
    return urlencode({name: _shown(value) for name, value in kept.items()}, safe=",")


def _shown(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ",".join(value)
    return f"{value:.12g}" if isinstance(value, float) else str(value)
