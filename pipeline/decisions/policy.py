"""Skip, warm-start or train afresh?

`plan` is a pure function of what is known when new rows have come in: the drift report (with the champion's likelihood
of the rows), the verdicts of earlier checks, the age of the champion and the number of new rows. The first rule that
applies decides:

1. *refuse* if the settings refuse new columns or new labels, and the table has them. New labels are those of the new
   rows, as far as the drift report lists labels, and all labels of the rows that a training would learn from. A person
   has to look.
2. *retrain* without further questions if the settings say that every run trains, or if the rules of disclosure have
   changed since the champion was trained: the champion may hold values that must be withheld now.
3. *skip* if no row is new, or the last training is too recent (cool-down).
4. *retrain* afresh if the columns have changed, most of them drifted at once, or the champion is too old. Also retrain
   afresh if training is due and cannot start from the champion, or should not do so again: the table has outgrown the
   champion's network, the chain of warm starts is long enough, or the gate has refused a warm start.
5. *warm-start* from the champion if drift was found in k of the last m checks, the champion describes the new rows
   clearly worse than its own, or the table has grown.
6. *skip* if nothing calls for training.

More drift never leads to less action, with one exception: what the settings refuse is refused. One check that finds
drift does not start a training, unless it finds most columns drifted. It may be the one false alarm in a thousand.

Only the checks of runs vote. A scheduled check that finds drift has no vote: it starts a run, which checks the same
rows and votes on them. Two votes on one batch would make a training of every false alarm. A scheduled check that finds
no drift starts no run, and its rows are still new to the next run.

During the cool-down, drift alone does not start a run (`cooling_down`); otherwise lasting drift would train at every
check. If runs decide by these rules and files are taken in, no run starts during the cool-down. New files are examined
after it, because a run that must skip would use up their reasons to train. Age is a reason to train without a new row
(`overdue`), as long as some rows have not been used in any training.
"""

from typing import Literal

from pydantic import NonNegativeFloat, NonNegativeInt

from pipeline.decisions.drift import DriftReport, Finding
from pipeline.records import Record
from pipeline.settings import PolicySettings

Action = Literal["refuse", "skip", "warm-start", "retrain"]


class Situation(Record):
    """What is known when new rows have come in.

    Attributes:
        drift: The report on the new rows against the rows that the champion was trained on. None if the columns differ.
        verdicts: Whether earlier checks found drift since the champion was trained, the latest last.
        differences: How the columns differ from the champion's, one phrase each.
        obstacles: Other reasons why a training cannot start from the champion, one phrase each.
        rules: How the rules of disclosure differ from those of the champion, one phrase each.
        strange: Columns with labels that the champion does not know, in the rows that a training would learn from.
            Filled only if the settings refuse new labels.
        new_rows: Number of rows that the champion has not seen.
        age_days: Time since the champion was trained.
        idle_hours: Time since any version was trained, including refused ones.
        warm_starts: Number of warm starts in a row that led to the champion.
        warm_start_refused: Whether the gate has refused a warm start from this champion. Another one would start from
            the same weights.
    """

    drift: DriftReport | None
    verdicts: tuple[bool, ...] = ()
    differences: tuple[str, ...] = ()
    obstacles: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    strange: tuple[str, ...] = ()
    new_rows: NonNegativeInt
    age_days: NonNegativeFloat
    idle_hours: NonNegativeFloat
    warm_starts: NonNegativeInt = 0
    warm_start_refused: bool = False


class Plan(Record):
    """The action, and all reasons for it."""

    action: Action
    reasons: tuple[str, ...]


def plan(situation: Situation, settings: PolicySettings) -> Plan:
    """Decide what the new rows call for."""
    if refused := _refused(situation, settings):
        return Plan(action="refuse", reasons=refused)
    if settings.train == "always":
        return Plan(action="retrain", reasons=("every run trains (policy.train)",))
    if situation.rules:
        return Plan(action="retrain", reasons=situation.rules)
    if held := _held_back(situation, settings):
        return Plan(action="skip", reasons=held)
    warm = _calls_for_training(situation, settings)
    if fresh := _calls_for_a_fresh_start(situation, settings, due=bool(warm)):
        return Plan(action="retrain", reasons=fresh + warm)
    return Plan(action="warm-start" if warm else "skip", reasons=warm or _calm(situation, settings))


def cooling_down(idle_hours: float, settings: PolicySettings) -> tuple[str, ...]:
    """Why no training may start so soon after the last one. Empty if one may."""
    if idle_hours >= settings.cool_down_hours:
        return ()
    return (f"the last training was {idle_hours:.1f} h ago, the cool-down is {settings.cool_down_hours:g} h",)


def overdue(age_days: float, waiting: int, settings: PolicySettings) -> bool:
    """Whether the champion's age alone calls for a training, given the rows that no training has used."""
    return settings.train == "needed" and waiting > 0 and age_days > settings.oldest_days


def _refused(now: Situation, settings: PolicySettings) -> tuple[str, ...]:
    reasons = now.differences if settings.new_columns == "refuse" else ()
    if settings.new_labels == "refuse":
        found = [finding.column for finding in _findings(now) if finding.what == "new labels" and finding.size > 0]
        columns = dict.fromkeys([*found, *now.strange])
        reasons += tuple(f"{column} has labels that the champion does not know" for column in columns)
    return reasons


def _held_back(now: Situation, settings: PolicySettings) -> tuple[str, ...]:
    stale = ("no row is new",) if now.new_rows == 0 else ()
    return stale + cooling_down(now.idle_hours, settings)


def _calls_for_a_fresh_start(now: Situation, settings: PolicySettings, *, due: bool) -> tuple[str, ...]:
    reasons = [*now.differences, *(now.obstacles if due else ())]
    share = _drifted_share(now)
    if share >= settings.severe:
        reasons.append(f"{share:.0%} of the columns drifted (severe from {settings.severe:.0%})")
    if now.age_days > settings.oldest_days:
        reasons.append(f"the champion is {now.age_days:.1f} days old (at most {settings.oldest_days:g})")
    if due and now.warm_starts >= settings.warm_starts:
        reasons.append(f"the champion comes from {now.warm_starts} warm starts in a row")
    if due and now.warm_start_refused:
        reasons.append("the gate has refused a warm start from this champion")
    return tuple(reasons)


def _calls_for_training(now: Situation, settings: PolicySettings) -> tuple[str, ...]:
    reasons = []
    found, checks = _votes(now, settings)
    if found >= settings.votes:
        worst = next((f"; worst: {finding.text}" for finding in _findings(now) if finding.drifted), "")
        reasons.append(f"drift in {found} of the last {checks} checks (from {settings.votes}){worst}")
    falls = [f for f in _findings(now) if f.what == "likelihood" and f.drifted and f.size >= settings.likelihood]
    reasons += [f"{fall.text}; that is {fall.size:.2f} deviations (from {settings.likelihood:g})" for fall in falls]
    if now.drift is not None and now.new_rows >= settings.growth * now.drift.reference_rows:
        reasons.append(_growth(now))
    return tuple(reasons)


def _calm(now: Situation, settings: PolicySettings) -> tuple[str, ...]:
    found, checks = _votes(now, settings)
    return f"drift in {found} of the last {checks} checks (from {settings.votes})", _growth(now)


def _growth(now: Situation) -> str:
    known = f"knows {now.drift.reference_rows:,}" if now.drift is not None else "has other columns"
    return f"at least {now.new_rows:,} {'row is' if now.new_rows == 1 else 'rows are'} new to a champion that {known}"


def _findings(now: Situation) -> tuple[Finding, ...]:
    return now.drift.findings if now.drift is not None else ()


def _votes(now: Situation, settings: PolicySettings) -> tuple[int, int]:
    """How many of the last checks found drift, and the number of these checks, at most `settings.window`."""
    last = (*now.verdicts, *([now.drift.drifted] if now.drift is not None else []))[-settings.window :]
    return sum(last), len(last)


def _drifted_share(now: Situation) -> float:
    """Share of the compared columns that drifted by themselves. Pairs, whole rows and the model do not count."""
    single = [finding for finding in _findings(now) if finding.kind not in {"pair", "table", "model"}]
    columns = {finding.column for finding in single}
    return len({finding.column for finding in single if finding.drifted}) / max(len(columns), 1)
