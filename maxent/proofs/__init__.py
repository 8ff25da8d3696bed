"""Proofs by ball arithmetic: enclosures of values, certificates and their checker."""
