"""The clauses of the theorems, a file a family, named as the headings of docs/theory.md."""
