"""Pure functions of records: has the data drifted, what does that call for, promote or keep."""
