"""Engines that run one function over many files."""
