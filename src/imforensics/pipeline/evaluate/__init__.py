"""Measure methods and bundles on a labelled data set."""
