"""Trials: every membership attack on training rows and on as many held-out rows.

Members are training rows. One half of the held-out rows is the attacker's reference while the other half is attacked as
non-members. Then the halves change places, so that every row of a small hold-out counts.

Training and held-out rows may differ for another reason than that the generator saw the former. Held-out rows may be of
a later time, for example. Then attacks tell them apart although nothing leaks. So each trial has a *control*: the same
attacks with training rows that are no targets in place of the synthetic rows.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.evaluation import membership
from pipeline.evaluation.membership import BLACK_BOX, WHITE_BOX, Attack, Scene
from pipeline.evaluation.samples import Samples
from pipeline.evaluation.scores import Incomputable
from pipeline.evaluation.views import Floats, View, chosen
from pipeline.statistics.neighbours import Points

MOST = 2_500
"""Most members, and most non-members, in each half."""
FEWEST = 10
"""Fewest rows of each half of the hold-out."""


class Half(NamedTuple):
    """Scores of an attack on one half.

    Attributes:
        members: Scores of members, [members].
        others: Scores of as many non-members, [members].
    """

    members: Floats
    others: Floats


class Trial(NamedTuple):
    """Scores of the attacks on one half, by their names.

    Attributes:
        attacks: Attacks with the synthetic rows, and with the model if there is one.
        control: Attacks with training rows that are no targets in place of the synthetic rows.
    """

    attacks: Mapping[str, Half]
    control: Mapping[str, Half]


class Viewed(NamedTuple):
    """Rows as points and as columns."""

    points: Points
    view: View

    def take(self, numbers: NDArray[np.int64]) -> "Viewed":
        """The rows with these numbers."""
        return Viewed(self.points[numbers], self.view.take(numbers))


class Drawn(NamedTuple):
    """The numbers of the rows of one half.

    Attributes:
        members: Training rows that are attacked.
        others: As many held-out rows that are attacked.
        rest: Training rows that are not attacked.
        reference: Held-out rows that the attacker knows.
    """

    members: NDArray[np.int64]
    others: NDArray[np.int64]
    rest: NDArray[np.int64]
    reference: NDArray[np.int64]


def trials(samples: Samples) -> list[Trial]:
    """The scores of every attack in both halves.

    Raises:
        Incomputable: A half of the hold-out has too few rows, or nothing can be compared.
    """
    _, train, holdout = samples.views
    if min(holdout.rows // 2, train.rows // 2) < FEWEST:
        raise Incomputable(f"needs {2 * FEWEST} held-out and training rows, got {holdout.rows} and {train.rows}")
    if not train.names:
        raise Incomputable("the table has no column that can be compared")
    made, seen, unseen = map(Viewed, samples.neighbour_points(), samples.views)
    random = samples.random("attack halves")
    outside, inside = (random.permutation(view.rows) for view in (holdout, train))
    found = []
    for k in (0, 1):
        size = min(MOST, len(outside[k::2]), len(inside[k::2]))
        reference = outside[1 - k :: 2][: samples.settings.detection_rows]
        drawn = Drawn(inside[k::2][:size], outside[k::2][:size], inside[1 - k :: 2], reference)
        found.append(_trial(samples, (made, seen, unseen), drawn))
    return found


def _trial(samples: Samples, rows: tuple[Viewed, Viewed, Viewed], drawn: Drawn) -> Trial:
    """The scores of every attack in one half. `rows` are synthetic, training and held-out rows."""
    made, seen, unseen = rows
    targets, reference = (seen.take(drawn.members), unseen.take(drawn.others)), unseen.take(drawn.reference)
    scene, control = (_scene(samples, targets, each, reference) for each in (made, seen.take(drawn.rest)))
    attacks = BLACK_BOX
    if samples.likelihood is not None:
        scene, attacks = _with_model(scene, samples, made.points, unseen.points, drawn), {**BLACK_BOX, **WHITE_BOX}
    return Trial(_scored(attacks, scene), _scored(BLACK_BOX, control))


def _scored(attacks: Mapping[str, Attack], scene: Scene) -> dict[str, Half]:
    """The scores of attacks. The first half of the targets are members."""
    return {name: Half(*np.split(attack(scene), 2)) for name, attack in attacks.items()}


def _scene(samples: Samples, targets: tuple[Viewed, Viewed], made: Viewed, reference: Viewed) -> Scene:
    """What an attacker without the model knows about the targets, if `made` are the synthetic rows."""
    points = np.concatenate([each.points for each in targets])
    some = chosen(made.view.rows, reference.view.rows, samples.random("attack classifier rows"))
    views = [each.view for each in targets]
    logits = membership.classified(views, made.view.take(some), reference.view, samples.random("classifier"))
    return Scene(*membership.around(points, made.points, reference.points), logits)


def _with_model(scene: Scene, samples: Samples, made: Points, unseen: Points, drawn: Drawn) -> Scene:
    """The scene with the bounds of the model. At most `MOST` reference rows say which bound is usual."""
    assert samples.likelihood is not None, "an attack with the model needs one"
    reference = drawn.reference[:MOST]
    _, train, holdout = samples.tables
    asked = pa.concat_tables([train.take(drawn.members), *(holdout.take(each) for each in (drawn.others, reference))])
    own, theirs = np.split(samples.likelihood(asked), [2 * len(drawn.members)])
    usual = membership.usual(theirs, membership.nearest(unseen[reference], made), scene.synthetic)
    return scene._replace(bound=own, usual=usual)
