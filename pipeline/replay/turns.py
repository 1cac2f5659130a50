"""The turns of the strategies, one period after the other (`pipeline.replay`)."""

import time
from collections.abc import Collection
from datetime import datetime, timedelta
from functools import partial
from typing import NamedTuple

import pyarrow as pa

from pipeline import columns, loop
from pipeline.data import tables
from pipeline.data.tables import Split
from pipeline.decisions import policy, promotion
from pipeline.decisions.drift import DriftReport, ModelView
from pipeline.decisions.policy import Plan
from pipeline.evaluation import Evaluation, evaluate
from pipeline.loop import Champion, Past
from pipeline.profiles.reference import Reference
from pipeline.progress import Progress, Tick, part, silent
from pipeline.queries.bound import ElboReport
from pipeline.records import Record
from pipeline.replay.periods import Every, History
from pipeline.replay.shelf import Shelf
from pipeline.replay.story import STRATEGIES, DriftSummary, Quality, Step, Story, Strategy
from pipeline.schema import Schema
from pipeline.settings import LoopSettings

AHEAD = ("marginals", "pairs")
"""Areas of evaluation of rows that have just come in. The quality is computed from them."""


class Trained(Record):
    """What is kept of a training besides its synthesizer."""

    seconds: float


class Moment(NamedTuple):
    """The end of a period, and what all strategies can use at this time.

    Attributes:
        number: The number of the period.
        end: The time of its end.
        fresh: The rows that came in during the period.
        rows: The window of rows for a training.
        new: The rows of the window that a run treats as new.
        schema: The schema of the window.
        parts: The parts of the window.
        before: The training part of the previous window. None in the first period.
    """

    number: int
    end: datetime
    fresh: pa.Table
    rows: pa.Table
    new: pa.Table
    schema: Schema
    parts: Split
    before: pa.Table | None

    @classmethod
    def of(cls, history: History, number: int, settings: LoopSettings, previous: "Moment | None") -> "Moment":
        """Make the end of a period of a history."""
        window = history.window(number, settings.incoming)
        schema = columns.infer(window.rows, settings.columns, settings.privacy)
        rows, new, fresh = (t.select(schema.names) for t in (window.rows, window.new, history.fresh(number)))
        shown = loop.show(rows, tables.split(rows, settings.split), schema, settings)
        return cls(
            number=number,
            end=history.end(number),
            fresh=fresh,
            rows=rows,
            new=new,
            schema=schema,
            parts=shown.parts,
            before=previous.parts.train if previous is not None else None,
        )


def replay(
    table: pa.Table, column: str, every: str, settings: LoopSettings, shelf: Shelf, progress: Progress = silent
) -> Story:
    """Run the loop over the history of a table.

    Args:
        table: The table, from `pipeline.data.tables.read`.
        column: Its column of dates or timestamps.
        every: Length of a period, such as "30d" or "1mo".
        settings: The settings of the loop. For *loop*, `policy.train` is always "needed".
        shelf: The place of intermediate results, for this table and these settings only.
        progress: Receives the phase "replay".

    Raises:
        SchemaError: The column is missing or holds no times, or a column cannot be of its kind.
        TableError: A row has no time, or the first period has too few rows.
        SettingsError: `every` cannot be read, or gives too few or too many periods.
    """
    history = History.of(table, column, Every.parse(every))
    lives = {strategy: Life(strategy, settings, shelf) for strategy in STRATEGIES}
    turns = len(history) * len(lives)
    moment, done, steps = None, 0, list[Step]()
    for number in range(len(history)):
        moment = Moment.of(history, number, settings, moment)
        for strategy, life in lives.items():
            progress(Tick("replay", done, turns))
            own = part(progress, done / turns, (done + 1) / turns, "replay")
            steps.append(shelf.record(f"step-{strategy}-{number}", Step, partial(life.turn, moment, own)))
            life.past.append(steps[-1])
            done += 1
    progress(Tick("replay", done, done))
    return Story(column=column, every=every, periods=len(history), rows=table.num_rows, steps=tuple(steps))


class Life:
    """The course of one strategy.

    A turn depends on the past only through earlier turns and the shelf.
    """

    def __init__(self, strategy: Strategy, settings: LoopSettings, shelf: Shelf) -> None:
        needed = settings.policy.model_copy(update={"train": "needed"})
        self.settings = settings.model_copy(update={"policy": needed})
        self.strategy, self.shelf = strategy, shelf
        self.progress: Progress = silent
        self.past: list[Step] = []

    def turn(self, now: Moment, progress: Progress = silent) -> Step:
        """Take the turn at the end of a period. `progress` is called during a training."""
        self.progress = progress
        champion = self.past[-1].champion if self.past else None
        step = Step(
            strategy=self.strategy,
            period=now.number,
            end=now.end,
            new_rows=now.fresh.num_rows,
            rows=now.rows.num_rows,
            decision="skipped",
            reasons=("the first champion stays",),
            champion=champion,
            ahead=self._ahead(champion, now) if champion is not None else None,
            quality=None,
        )
        if champion is None or self.strategy == "always":
            step = self._train(step, now, start=None)
        elif self.strategy == "loop":
            step = self._consider(step, champion, now)
        if step.champion is None:
            return step
        return step.model_copy(update={"quality": Quality.of(self._evaluation(step.champion, now))})

    def _consider(self, step: Step, champion: str, now: Moment) -> Step:
        """Check for drift, ask the policy, and do what it decides."""
        reference = self.shelf.recall(f"reference-{champion}", Reference)
        view = self.shelf.recall(f"view-{champion}", ModelView)
        known = Champion(self.shelf.synthesizer(champion), reference, view)
        found = loop.check(known, now.new, self.settings).report
        plan = self._plan(known, found, now)
        step = step.model_copy(update={"drift": DriftSummary.of(found), "plan": plan.action, "reasons": plan.reasons})
        if plan.action == "skip":
            return step
        if plan.action == "refuse":
            return step.model_copy(update={"decision": "refused"})
        return self._train(step, now, start=champion if plan.action == "warm-start" else None)

    def _plan(self, champion: Champion, drift: DriftReport, now: Moment) -> Plan:
        """Decide what new rows call for, given the turns since the champion was trained."""
        promoted = max(i for i, step in enumerate(self.past) if step.decision == "promoted")
        since = self.past[promoted + 1 :]
        trained = max(step.end for step in self.past if step.trained is not None)
        past = Past(
            verdicts=tuple(step.drift.drifted for step in since if step.drift is not None),
            waiting=sum(min(step.new_rows, step.rows) for step in since),  # a window may be shorter than a period
            age_days=(now.end - self.past[promoted].end) / timedelta(days=1),
            idle_hours=(now.end - trained) / timedelta(hours=1),
            warm_starts=_warm_starts(self.past[promoted].champion),
            warm_start_refused=any(step.plan == "warm-start" for step in since),
        )
        situation = loop.situate(
            champion.synthesizer,
            past,
            now.parts,
            now.schema,
            self.settings,
            new_rows=now.new.num_rows,
            drift=drift,
        )
        return policy.plan(situation, self.settings.policy)

    def _train(self, step: Step, now: Moment, start: str | None) -> Step:
        """Train a challenger and compare it with the champion."""
        name = str(now.number) if start is None else f"{start}-{now.number}"
        made = self.shelf.record(f"trained-{name}", Trained, lambda: self._trained(name, start, now))
        if self.strategy == "loop":  # the others make no drift checks
            self._remember(name, now)
        champion = self._evaluation(step.champion, now) if step.champion is not None else None
        decision = promotion.decide(self._evaluation(name, now), champion, self.settings.gate)
        return step.model_copy(
            update={
                "decision": "promoted" if decision.promote else "refused",
                "reasons": (step.reasons if step.plan is not None else ()) + decision.reasons,
                "trained": name,
                "seconds": made.seconds,
                "champion": name if decision.promote else step.champion,
            }
        )

    def _trained(self, name: str, start: str | None, now: Moment) -> Trained:
        began = time.process_time()  # other processes of the machine do not count
        champion = self.shelf.synthesizer(start) if start is not None else None
        synthesizer = loop.fit(
            now.parts, now.schema, self.settings, champion=champion, taken=now.rows, progress=self.progress
        )
        seconds = time.process_time() - began
        self.shelf.keep(name, synthesizer)
        return Trained(seconds=seconds)

    def _remember(self, version: str, now: Moment) -> None:
        """Keep what later rows are compared with."""
        seed, ignore = self.settings.seed, self.settings.drift.ignore
        shown = loop.show(now.rows, now.parts, now.schema, self.settings).table
        made = partial(Reference.of, shown, now.schema, seed=seed, ignore=ignore)
        self.shelf.record(f"reference-{version}", Reference, made)
        said = partial(loop.view, self.shelf.synthesizer(version), now.parts.holdout, self.settings)
        self.shelf.record(f"view-{version}", ModelView, said)

    def _bound(self, version: str, now: Moment) -> ElboReport | None:
        """A version's bound on the hold-out of its window. None if no network was taught any dependence."""
        synthesizer = self.shelf.synthesizer(version)
        if not synthesizer.taught:
            return None
        measure = partial(synthesizer.elbo, now.parts.holdout, seed=self.settings.seed)
        return self.shelf.record(f"holdout-{version}", ElboReport, measure)

    def _evaluation(self, version: str, now: Moment) -> Evaluation:
        """Evaluate a version on the hold-out of the window, with its bound if it was trained in this period."""
        told = self._bound(version, now) if _trained_at(version) == now.number else None
        compare = partial(self._compare, version, now.parts.holdout, now.parts.train, now.schema, told=told)
        return self.shelf.record(f"quality-{now.number}-{version}", Evaluation, compare)

    def _ahead(self, version: str, now: Moment) -> Quality:
        """Evaluate a version on the rows that have just come in."""
        assert now.before is not None, "a champion is older than a period"
        compare = partial(self._compare, version, now.fresh, now.before, now.schema, areas=AHEAD)
        return Quality.of(self.shelf.record(f"ahead-{now.number}-{version}", Evaluation, compare))

    def _compare(
        self,
        version: str,
        holdout: pa.Table,
        train: pa.Table,
        schema: Schema,
        *,
        areas: Collection[str] | None = None,
        told: ElboReport | None = None,
    ) -> Evaluation:
        rows, seed = min(train.num_rows, self.settings.evaluation.rows), self.settings.seed
        return evaluate(
            self.shelf.synthesizer(version).sample(rows, seed=seed),
            holdout=holdout,
            train=train,
            schema=schema,
            settings=self.settings.evaluation,
            seed=seed,
            areas=areas,
            told=told,
        )


def _trained_at(version: str) -> int:
    """The period in which a version was trained."""
    return int(version.rpartition("-")[2])


def _warm_starts(version: str | None) -> int:
    return version.count("-") if version is not None else 0
