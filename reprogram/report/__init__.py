"""One record of a run, and the table and the page made from it."""
