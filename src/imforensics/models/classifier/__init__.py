"""The paper's ELA + CNN detector."""
