"""What the flows run on: servers, a home's state, working files."""
