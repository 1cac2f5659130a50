"""What runs beneath the flows: servers, a home's state, working files."""
