"""What every training run shares: run folder, saved state, log, learning curves."""
