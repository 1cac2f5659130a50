"""Skip, warm-start or train afresh?

`plan` is a pure function of what is known when new rows have come in: the drift report (what the champion says of the
rows included) and the verdicts before it, how old the champion is and how many rows are new. Its rules, the first
that applies decides:

1. *refuse*: the table has other columns than the champion, or labels that it does not know (among the new rows, as
   far as the drift report lists labels, or among the rows that would be learned from, however many labels there
   are), and the settings refuse those. A person has to look.
2. *retrain* without further questions, if the settings say that every run trains, or if what may be shown of the
   table is not what it was: the champion may hold what is to be withheld now.
3. *skip*: no row is new, or the last training is too recent (cool-down).
4. *retrain* afresh: the columns have changed, most of them drifted at once, the champion is too old, or training is
   due and cannot start at the champion, or should not once more: the table has outgrown the champion's network, it is
   the end of a long chain of warm starts, or the gate has refused one.
5. *warm-start* from the champion: drift was found in k of the last m checks, the champion describes the new rows
   clearly worse than its own, or the table has grown.
6. *skip*: nothing calls for training.

More drift never leads to less action, except that what the settings refuse is refused. One check that finds drift
does not start a training (it may be the one false alarm in a thousand), unless it finds most columns drifted.

Checks are those of runs. A scheduled check that finds drift has no vote: it calls for a run, which looks at the same
rows at once and votes on them, and two votes on one batch would make a training of every false alarm. One that finds
none calls for no run, and its rows are still new to the next.

A run that only drift has called for is not begun in the cool-down (`cooling_down`), or drift that lasts would train at
every check. Nor is one that the rules decide about where files are taken in: what comes in the cool-down is looked at
after it, or the reasons to train that it gives would have passed unheard. Age is a reason that comes without a new row
(`overdue`), as long as there are rows that no training has seen.
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
        drift: The new rows against those that the champion was trained on; None where the columns differ.
        verdicts: Whether the checks before this one found drift, since the champion was trained, the latest last.
        differences: How the columns differ from the champion's, one phrase each.
        obstacles: What else keeps a training from starting at the champion, one phrase each.
        rules: How what may be shown of the table is other than what was shown to the champion, one phrase each.
        strange: Columns with labels that the champion does not know, among the rows that a training would learn from;
            asked only where such are refused.
        new_rows: Rows that the champion has not seen.
        age_days: Time since the champion was trained.
        idle_hours: Time since any version was trained, also one that was refused.
        warm_starts: Warm starts in a row that led to the champion.
        warm_start_refused: Whether the gate has refused a warm start from this champion: another would begin at the
            same place.
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
    """What to do, and everything that led to it."""

    action: Action
    reasons: tuple[str, ...]


def plan(situation: Situation, settings: PolicySettings) -> Plan:
    """Decide what new rows call for."""
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
    """Why nothing is to start so soon after the last training; nothing where it may."""
    if idle_hours >= settings.cool_down_hours:
        return ()
    return (f"the last training was {idle_hours:.1f} h ago, the cool-down is {settings.cool_down_hours:g} h",)


def overdue(age_days: float, waiting: int, settings: PolicySettings) -> bool:
    """Whether the champion's age alone calls for a training, on rows that were looked at and no training has seen."""
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
    """How many of the last checks found drift, and how many checks those are; the champion's first ones are fewer."""
    last = (*now.verdicts, *([now.drift.drifted] if now.drift is not None else []))[-settings.window :]
    return sum(last), len(last)


def _drifted_share(now: Situation) -> float:
    """Share of the compared columns with a finding of their own; pairs, whole rows and the model belong to none."""
    single = [finding for finding in _findings(now) if finding.kind not in {"pair", "table", "model"}]
    columns = {finding.column for finding in single}
    return len({finding.column for finding in single if finding.drifted}) / max(len(columns), 1)
