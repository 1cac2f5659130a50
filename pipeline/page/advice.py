"""What to do about a weak score, and what the groups of scores are about, in plain words."""

from collections.abc import Mapping

ADVICE: Mapping[str, str] = {
    "shape_error": (
        "Look at the worst columns below. A column of the wrong kind is the usual cause: `resynth inspect` shows each "
        "kind, and `kind` in resynth.toml changes it."
    ),
    "mean_error": (
        "Look at the worst columns below for zeros and extremes. If one huge value moves the mean, more training rows "
        "help."
    ),
    "total_error": (
        "A few large values carry this sum. Set the `kind` of the column if it is wrong; otherwise train on more rows, "
        "or do not publish sums of this column."
    ),
    "top_error": "Train on more rows. Do not use the synthetic rows to study the largest values.",
    "trend_error": (
        "Raise `time_limit` under [training], and leave out columns that nobody needs. Declare what is exact between "
        "columns under [relations]."
    ),
    "c2st": (
        "One column often gives the rows away. Look at the worst columns and pairs below: is a free text taken for "
        "labels, or a running number for a number? Declare what is exact under [relations]."
    ),
    "coverage": (
        "Some kinds of real rows hardly occur. Rare groups go missing first: train longer, or on more of their rows."
    ),
    "utility": (
        "Look at the pairs of the target below. Raise `time_limit` under [training], and leave out columns that nobody "
        "needs. Who trains models on the rows should ask for many of them: more rows average out the noise."
    ),
    "attack_auc": (
        "An attack finds training rows better than by guessing. Train on more rows, and leave out columns that single "
        "out a person. Do not raise the limit."
    ),
    "attack_tpr": (
        "A few rows are found with certainty. Look for rows of their own kind, such as extremes and rare combinations: "
        "withhold more with `least_rows` under [privacy], or leave out the column."
    ),
    "nearer_to_train": (
        "Rows come too near to training rows. Train on more rows, and leave out columns that single out a person. Do "
        "not raise the limit."
    ),
    "copies": (
        "Rows equal training rows. If the table has few different rows, that may be harmless; otherwise train on more "
        "rows, and leave out columns that single out a person. Do not raise the limit."
    ),
    "disclosure_risk": (
        "The rows tell of training rows what they do not tell of others. The table of risks says by which attack, and "
        "in which column. Train on more rows, and leave out columns that single out a person. Do not raise the limit."
    ),
}
"""What to do about a score, by its name."""
IN_AREA: Mapping[str, str] = {
    "marginals": ADVICE["shape_error"],
    "totals": ADVICE["total_error"],
    "pairs": ADVICE["trend_error"],
    "detection": ADVICE["c2st"],
    "distribution": "Whole rows differ from real ones. Start with the worst columns and pairs below.",
    "utility": ADVICE["utility"],
    "privacy": ADVICE["nearer_to_train"],
    "attacks": ADVICE["attack_auc"],
    "risks": ADVICE["disclosure_risk"],
    "model": "Raise `time_limit` under [training].",
}
"""What to do about a score without advice of its own, by its area."""
AREA_TITLES: Mapping[str, str] = {
    "marginals": "Columns, one by one",
    "totals": "Means and totals",
    "pairs": "Pairs of columns",
    "detection": "A classifier between real and synthetic rows",
    "distribution": "Distances between whole rows",
    "utility": "Prediction",
    "privacy": "Nearness to training rows",
    "attacks": "Attacks on training rows",
    "risks": "Singling out, linking, inferring",
    "model": "The model's own likelihood of held-out rows",
}


def advice(name: str, area: str) -> str:
    """What to do about a weak score."""
    return ADVICE.get(name) or IN_AREA.get(area, "Look at the worst columns and pairs below.")


def area_title(area: str) -> str:
    """What a group of scores is about."""
    return AREA_TITLES.get(area, area.replace("_", " ").capitalize())
