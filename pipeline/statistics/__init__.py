"""Statistics that know no table: mergeable sketches, distances of samples, and how much of them chance explains."""
