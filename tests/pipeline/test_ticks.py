"""Progress of work that has parts."""

from pipeline.progress import Tick, part, silent, ticked


def test_parts_fill_the_whole() -> None:
    """Ticks of a part move the whole from its begin to its end, keep their figures, and may take the whole's name."""
    told: list[Tick] = []
    first, second = part(told.append, 0, 0.2), part(told.append, 0.2, 1, "whole")
    first(Tick("read", 1, 2, notes=("half",)))
    first(Tick("read", 2, 2))
    second(Tick("train", 30, 40, {"elbo": -1.0}))
    assert [round(tick.share, 6) for tick in told] == [0.1, 0.2, 0.8]
    assert [tick.phase for tick in told] == ["read", "read", "whole"]
    assert (told[0].notes, told[2].metrics) == (("half",), {"elbo": -1.0})


def test_parts_of_parts() -> None:
    """A part may have parts."""
    told: list[Tick] = []
    part(part(told.append, 0.5, 1), 0.5, 1)(Tick("a", 1, 2))
    assert told[0].share == 0.875


def test_every_item_is_a_tick() -> None:
    """The share grows after each item, and no item is lost. Nothing to do is no tick."""
    told: list[Tick] = []
    for i, item in enumerate(ticked("abcd", "letters", told.append)):
        assert (item, len(told)) == ("abcd"[i], i)
    assert [tick.share for tick in told] == [0.25, 0.5, 0.75, 1.0]
    assert list(ticked((), "nothing", told.append)) == []
    assert len(told) == 4
    silent(told[0])


def test_a_share_is_between_nothing_and_all() -> None:
    """A tick of an unknown total, or beyond its total, is no share beyond these."""
    assert [Tick("a", 1, 0).share, Tick("a", 3, 2).share] == [0.0, 1.0]
