"""Promote the challenger, or keep the champion?

`decide` is a pure function of two evaluations on the same hold-out. The challenger must pass four gates:

- *meaning*: the evaluation must have no flaw. It has one if the scores cannot tell real rows from any others, or if
  real rows differ from real rows.
- *limits*: no named score may be further from its own real-against-real ceiling than allowed. The score must be outside
  the limit for certain, so the near end of its 95 % confidence interval counts. This judges every version, including
  the first. It needs no adjustment to easy, hard or small tables, because their ceilings and intervals differ.
- *latent space*: a least number of its dimensions must vary with held-out rows. A table whose columns do not depend on
  each other has nothing to encode, and needs none.
- *margins*: no named score may be worse than the champion's by more than is allowed, or by more than chance explains if
  that is larger. Chance is half of the 95 % confidence interval of the difference. If both scores were computed on the
  same resamples of the hold-out, the differences are paired, and the interval is much narrower than that of unpaired
  scores.

A version that passes all gates is promoted, because it knows newer data. Whatever a user names is required of every
table: a named score that an evaluation lacks refuses promotion, and a named number of active dimensions is required of
independent columns too. Nothing is assumed in its place. Some of the default scores have no meaning for some tables (a
single column has no pairs). These are passed over, and the reasons say so.
"""

from collections.abc import Iterator
from math import hypot
from statistics import pstdev

from pipeline.evaluation import METRICS, Evaluation, Score
from pipeline.evaluation.scores import NORMAL_95
from pipeline.records import Record
from pipeline.settings import GateSettings

ACTIVE = "active_units"
"""The score that says whether a latent space is in use."""


class Decision(Record):
    """Whether to promote, and the findings that led to it.

    The reasons of a refusal are only the findings that refused. Columns that were left out are always named.

    Example:
        >>> from pipeline import Decision
        >>> Decision(promote=False, reasons=("c2st is 0.8 below its ceiling",)).promote
        False
    """

    promote: bool
    reasons: tuple[str, ...]


def decide(challenger: Evaluation, champion: Evaluation | None, settings: GateSettings | None = None) -> Decision:
    """Judge a challenger.

    Args:
        challenger: The challenger's evaluation on the hold-out. If it lacks `active_units`, the latent space is judged
            only if the settings name them: the model has no network, or its network was taught no dependence.
        champion: The champion's evaluation on the same hold-out, if there is a champion.
        settings: The limits and margins.

    Example:
        >>> import pandas as pd
        >>> from pipeline import decide, evaluate
        >>> frame = pd.DataFrame({"age": [20, 30, 40, 50] * 50, "member": [True, False] * 100})
        >>> found = evaluate(frame[:80], holdout=frame[80:120], train=frame[120:], areas=["marginals"])
        >>> decide(found, champion=None).promote
        True
    """
    settings = settings or GateSettings()
    findings = [(False, challenger.flaw)] if challenger.flaw is not None else []
    findings.extend(_against_ceilings(challenger, settings))
    if ACTIVE in challenger and settings.active_units:
        findings.append(_alive(challenger, settings))
    elif settings.active_units and "active_units" in settings.model_fields_set:
        least = settings.active_units
        findings.append((False, f"no latent dimension varies with the row, and fewer than {least} are refused"))
    if champion is None:
        findings.append((True, "there is no champion to compare with"))
    else:
        findings.extend(_against_champion(challenger, champion, settings))
    promote = all(passed for passed, _ in findings)
    decisive = tuple(text for passed, text in findings if passed == promote)
    return Decision(promote=promote, reasons=decisive + tuple(found.text for found in challenger.left_out))


def _against_ceilings(challenger: Evaluation, settings: GateSettings) -> Iterator[tuple[bool, str]]:
    """A verdict and its text for each limit."""
    optional = "limits" not in settings.model_fields_set
    if all(score.ceiling is None for score in challenger.scores) and challenger.flaw is None:
        yield optional, "no column of this table can be compared with real rows: no score was judged"
        return
    for name, limit in settings.limits.items():
        if name not in challenger:
            yield optional, f"{name} has a limit but was not computed{_why(name, challenger)}"
            continue
        score = challenger[name]
        if score.ceiling is None or score.excess is None:
            yield False, f"{name} has a limit, but there is nothing that real rows reach in it"
            continue
        edge, side = last_passing(score, limit), "less" if score.goal == "max" else "more"
        refused = "so no value is refused" if edge is None else f"and {side} than {edge:.4f} is refused"
        passes = score.excess <= limit + _half_width(score)
        yield passes, f"{name} is {score.value:.4f}; real rows reach {score.ceiling:.4f}, {refused}"


def last_passing(score: Score, limit: float) -> float | None:
    """The worst value of a score with which a limit still lets it pass. None if every value passes."""
    if score.ceiling is None:
        return None
    maximal, allowed = score.goal == "max", limit + _half_width(score)
    edge = score.ceiling - allowed if maximal else score.ceiling + allowed
    worst = METRICS[score.name].worst if score.name in METRICS else None
    return None if worst is not None and (edge <= worst if maximal else edge >= worst) else edge


def _alive(challenger: Evaluation, settings: GateSettings) -> tuple[bool, str]:
    """Whether enough latent dimensions vary with the row, or none has to."""
    active, least, dependence = int(challenger[ACTIVE].value), settings.active_units, challenger.dependence
    text = f"{active} latent {'dimension varies' if active == 1 else 'dimensions vary'} with the row"
    if active >= least:
        return True, f"{text}, and fewer than {least} would be refused"
    if dependence is None or "active_units" in settings.model_fields_set:
        return False, f"{text}, and fewer than {least} are refused"
    if dependence.found:
        return False, f"{text} although there is something to encode: {dependence.text}"
    return True, f"{text}, and none has to: {dependence.text}"


def _against_champion(
    challenger: Evaluation, champion: Evaluation, settings: GateSettings
) -> Iterator[tuple[bool, str]]:
    """A verdict and its text for each margin."""
    if challenger.holdout_rows != champion.holdout_rows:
        rows = f"{challenger.holdout_rows} and {champion.holdout_rows} rows"
        yield False, f"challenger and champion were evaluated on different hold-outs, of {rows}"
        return
    optional = "margins" not in settings.model_fields_set
    for name, margin in settings.margins.items():
        absent = [role for role, e in (("challenger", challenger), ("champion", champion)) if name not in e]
        if absent:
            yield optional, f"{name} has a margin but was not computed for the {' and the '.join(absent)}"
            continue
        new, old = challenger[name], champion[name]
        worse = old.value - new.value if new.goal == "max" else new.value - old.value
        chance = by_chance(new, old)
        allowed = max(margin, chance)
        edge = old.value - allowed if new.goal == "max" else old.value + allowed
        side = "less" if new.goal == "max" else "more"
        because = f"a difference of {allowed:.4f} {'may be chance' if chance > margin else 'is allowed'}"
        text = f"{name} is {new.value:.4f}; the champion's is {old.value:.4f}, and {side} than {edge:.4f} is refused"
        yield worse <= allowed, f"{text} ({because})"


def by_chance(new: Score, old: Score) -> float:
    """Half of the 95 % confidence interval of the difference of two scores on the same hold-out."""
    if new.replicates and len(new.replicates) == len(old.replicates):
        differences = [one - other for one, other in zip(new.replicates, old.replicates, strict=True)]
        return NORMAL_95 * pstdev(differences)
    return hypot(_half_width(new), _half_width(old))


def _half_width(score: Score) -> float:
    """Half of the confidence interval; 0 if it is unknown."""
    return 0.0 if score.low is None or score.high is None else (score.high - score.low) / 2


def _why(name: str, evaluation: Evaluation) -> str:
    """Why a score is absent, after a colon. Empty if the evaluation does not say."""
    area = f"{METRICS[name].area}: not computed, "
    said = next((note.removeprefix(area) for note in evaluation.notes if note.startswith(area)), None)
    return f": {said}" if said is not None else ""
