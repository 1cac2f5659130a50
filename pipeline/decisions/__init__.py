"""Pure functions of records: whether data drifted, what that calls for, and whether to promote a version."""
