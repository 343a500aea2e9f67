"""What the ScoreShaper says about its picture."""


def sentences(numbers: dict, loss: str) -> str:
    """The numbers of the panel in words, as HTML."""
    pulls = ", ".join(f"{name} <b>{pull:.3g}</b>" for name, pull in numbers["pull"].items())
    return "<br>".join(
        [
            f"<b>{numbers['negatives']:,}</b> negatives, spread {numbers['spread']:.3g}; the loss "
            f"sees <b>{numbers['spread_seen']:.3g}</b>. They weigh like "
            f"{numbers['effective']:,.0f} equal ones, as the loss sees them like "
            f"<b>{numbers['effective_seen']:,.0f}</b> (effective negatives).",
            f"ELU lets less than a tenth of the gradient through at <b>{numbers['flat']:.0%}</b> "
            f"of the scores. {loss} pushes <b>{numbers['pushed_up']:.0%}</b> of the negatives up.",
            f"Pull &minus;dL/dr<sub>i</sub> on a target with 5 negatives above it: {pulls}.",
        ]
    )
