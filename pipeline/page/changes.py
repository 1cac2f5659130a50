"""What has changed since the previous version: scores beyond chance, and apart from that the data.

Both versions were scored on the same held-out rows. A change counts if it is beyond half of the 95 % confidence
interval of the difference (`pipeline.decisions.promotion.by_chance`) and beyond the margin of the gate, if there is
one: two trainings on the same rows differ too, and the margins allow for that.
"""

from typing import NamedTuple

from pipeline.decisions import quality
from pipeline.decisions.promotion import by_chance
from pipeline.evaluation import Evaluation, Score
from pipeline.settings import GateSettings

BETTER, WORSE, SAME, UNTOLD = "better", "worse", "the same within noise", "not told from noise"


class Change(NamedTuple):
    """A score of two versions in percent, 100 is best.

    Attributes:
        title: The name of the score for people.
        before: The previous version's score.
        now: This version's score.
        noise: The difference in points that chance explains, or that the gate allows if that is more. None if neither
            is known.
        verdict: What that makes of the difference.
    """

    title: str
    before: float
    now: float
    noise: float | None
    verdict: str


def changes(now: Evaluation, before: Evaluation, gate: GateSettings) -> tuple[Change, ...]:
    """The scores that people read in percent, of two versions."""
    if now.holdout_rows != before.holdout_rows:
        return ()
    found = (
        (title, now[name], before[name]) for name, title in quality.TITLES.items() if name in now and name in before
    )
    return tuple(_change(title.name, new, old, gate.margins.get(new.name, 0.0)) for title, new, old in found)


def _change(title: str, new: Score, old: Score, margin: float) -> Change:
    now, before = quality.percent(new, new.value), quality.percent(old, old.value)
    scale = 1.0 if new.goal == "max" else 1 - quality.TITLES[new.name].best
    noise = 100 * max(by_chance(new, old), margin) / scale
    if abs(now - before) <= noise:
        verdict = SAME
    elif noise:
        verdict = BETTER if now > before else WORSE
    else:
        verdict = UNTOLD
    return Change(title, before, now, noise or None, verdict)
