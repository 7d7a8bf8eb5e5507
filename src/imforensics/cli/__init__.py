"""Command line: the only place that imports click and exits."""
