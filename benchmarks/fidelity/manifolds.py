"""What prdc and synthcity say of two small samples: the numbers that a test of `pipeline.statistics` holds.

    python3 -m venv benchmarks/.venv-synthcity
    benchmarks/.venv-synthcity/bin/pip install synthcity==0.2.12 prdc==0.2 opacus==1.4.1
    benchmarks/.venv-synthcity/bin/python benchmarks/fidelity/manifolds.py

Precision, recall, density and coverage are from prdc, by the authors of density and coverage. α-precision and β-recall
are from synthcity, by authors of that paper, on the features as they are ("naive"), without its one-class network.
Neither package is a dependency of resynth.
"""

import json

import numpy as np

NEIGHBOURS = 5


def samples() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Real and other points, [200, 4], by what is wrong with the others."""
    rng = np.random.default_rng(11)
    mixing = rng.normal(size=(4, 4))
    real, alike, wide = (rng.normal(size=(200, 4)) @ mixing for _ in range(3))
    return {
        "nothing": (real, alike),
        "scattered": (real, 1.6 * wide),
        "half is missing": (real, np.where(alike[:, :1] > 0, alike, -alike)),
    }


def main() -> None:
    """Print the numbers of all samples as JSON."""
    # these packages lie in the environment above, and a test imports `samples` without them
    from prdc import compute_prdc  # noqa: PLC0415
    from synthcity.metrics.eval_statistical import AlphaPrecision  # noqa: PLC0415

    found = {}
    for name, (real, other) in samples().items():
        balls = compute_prdc(real, other, nearest_k=NEIGHBOURS)
        *_, precision, recall, _ = AlphaPrecision().metrics(real, other)
        found[name] = {**balls, "alpha_precision": precision, "beta_recall": recall}
    print(json.dumps({name: {key: float(value) for key, value in of.items()} for name, of in found.items()}, indent=2))


if __name__ == "__main__":
    main()
