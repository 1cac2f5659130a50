"""The flows of the command, one for each verb."""
