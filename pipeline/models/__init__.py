"""The VAE: networks, likelihoods, priors and the objective, over a sequence of variables that knows no columns."""
