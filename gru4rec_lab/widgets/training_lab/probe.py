"""The probe session: ten recommendations that change as the model learns."""

from typing import Any, NamedTuple

from ...data.sessions import Sessions
from ...recommender import Recommendation, Recommender

N_TOP = 10


class Recommended(NamedTuple):
    """What the model recommends after a session.

    `clicks` are the clicks it knows, `unknown` those it does not, `answer` is what came next in a
    validation session (None for a session typed in), `top` the best items, best first.
    """

    clicks: list[Any]
    unknown: list[Any]
    answer: Any
    top: list[Recommendation]


class Probe:
    """Which session is asked about; set from any thread, read in the training thread.

    Attributes:
        choice: the number of a validation session, from 0, or the names of items as text.
    """

    def __init__(self) -> None:
        self.choice: int | tuple[str, ...] = 0

    def recommend(self, model: Recommender, validation: Sessions) -> Recommended:
        """The ten best items after the session; of a validation session its last click is held out.

        A number beyond the last validation session starts again at the first.
        """
        choice, answer = self.choice, None
        if isinstance(choice, int):
            place = choice % validation.n_sessions
            inside = slice(*validation.offsets[place : place + 2])
            *clicks, answer = validation.item_ids[validation.items[inside]].tolist()
        else:
            by_name = {str(item): item for item in model.item_ids.tolist()}
            clicks = [by_name.get(name, name) for name in choice]
        visit = model.session()
        for item in clicks:
            visit.click(item)
        return Recommended(visit.clicks, visit.unknown, answer, visit.top(N_TOP))
