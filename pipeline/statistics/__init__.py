"""Statistics that know no table: mergeable sketches, and how far two samples differ by chance."""
