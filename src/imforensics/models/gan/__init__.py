"""The DCGAN with its encoder: reconstruction of authentic images."""
