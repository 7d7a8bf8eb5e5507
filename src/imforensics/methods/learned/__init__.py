"""Methods that run a trained network."""
