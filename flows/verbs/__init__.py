"""One flow for each verb of the command."""
