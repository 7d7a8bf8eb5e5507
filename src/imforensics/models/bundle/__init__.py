"""A trained model as files: manifest, digests, runtime, provenance, card, export."""
