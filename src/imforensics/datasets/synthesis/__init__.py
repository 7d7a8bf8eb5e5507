"""Forgeries made from authentic photographs, with exact masks; all chance comes from the generator given."""
