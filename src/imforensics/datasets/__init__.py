"""Data sets as declared facts: adapters, splits, pairs. Paths and labels, never pixels."""
