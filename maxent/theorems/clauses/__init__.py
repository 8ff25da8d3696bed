"""The clauses of the statements, a file for each heading of docs/theory.md, under its name."""
