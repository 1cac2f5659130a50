"""The closed loop over history, as if it were live, compared with never training again and with always training.

A table with a column of times is cut into periods (`pipeline.replay.periods`). At the end of each period, three
strategies take a turn on the rows that have come in so far: *loop* does what the policy finds necessary, *always*
trains afresh, *never* keeps its first champion. They share the data, the split, the seed and the gate, and every
decision is made as in `resynth run`. The current time is the time of the data, and no later row is used.

Each turn reports two qualities. *Ahead* compares the champion before the turn with the rows that have just come in,
which no version has seen. The next month differs from earlier months, so real rows of the window do not reach 1 either;
their value stands beside it. *Quality* compares the champion after the turn with the held-out rows of the window. It
says how good the current twin of the table is.

periods         the table is cut into periods
turns           the strategies take their turns
story           what each turn did and reached
shelf           where intermediate results lie
"""
