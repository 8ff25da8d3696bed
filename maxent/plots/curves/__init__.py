"""Figures of numbers against numbers."""
