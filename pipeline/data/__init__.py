"""Where rows come from and go to: tables, storage, what has come in, exports."""
