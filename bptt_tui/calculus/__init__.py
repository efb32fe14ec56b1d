"""The calculus: one table of operations and what follows from it (see `operations`)."""
