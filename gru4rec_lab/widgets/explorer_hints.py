"""What to try next, and what it shows: one line for the settings as they are."""

from .panel import advice

WIDE, MANY = 1.5, 256


def hint(numbers: dict, settings: dict) -> str:
    """The line as HTML."""
    shown = settings["losses"]
    if not shown:
        return advice("tick a loss to see how hard it pulls.")
    return {"gaussian": _gaussian, "trained": _trained, "pasted": _pasted}[settings["source"]](
        numbers, settings
    )


def _gaussian(of: dict, settings: dict) -> str:
    if of["spread"] < WIDE:
        return advice(
            f"raise <b>score spread</b> to 4. {_narrow(of)} The -max losses need spread to differ."
        )
    if settings["n_sample"] < MANY:
        return advice(
            "raise <b>extra negatives</b> and watch the dashed lines fall on the left, where the "
            "target is ranked well: BPR and TOP1 let go, the -max losses do not."
        )
    return advice(f"lower <b>score spread</b> to 0.5 and compare. {_average(of)}")


def _trained(of: dict, settings: dict) -> str:
    if settings["epoch"] == 0:
        return advice(
            f"raise <b>trained for</b>. {_narrow(of)} As BPR learns, its scores spread and its own "
            "pull fades."
        )
    if settings["n_sample"] < MANY:
        return advice("raise <b>extra negatives</b> and watch the dashed lines fall on the left.")
    return advice(f"change <b>test target</b> or <b>sample_alpha</b>. {_average(of)}")


def _pasted(of: dict, settings: dict) -> str:
    return advice("append low scores to the row: BPR's pull falls with each, BPR-max's stays.")


def _narrow(of: dict) -> str:
    return f"Here {of['negatives']:,} negatives weigh almost alike, as in BPR."


def _average(of: dict) -> str:
    return (
        f"Only {of['near']:.1%} of the negatives are near the target or above it; BPR and TOP1 "
        "average over all, the -max losses weigh by softmax."
    )
