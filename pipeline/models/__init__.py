"""The VAE: networks, likelihoods, priors and the objective, over a sequence of variables without columns."""
