"""Metrics of detection and localization, calibration of scores."""
