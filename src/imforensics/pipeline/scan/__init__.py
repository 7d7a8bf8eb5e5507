"""Scan many files."""
