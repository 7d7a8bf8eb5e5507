"""The bundle of the calibrated statement."""
