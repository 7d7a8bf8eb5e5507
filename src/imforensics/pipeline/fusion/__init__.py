"""Fit the calibrated statement."""
