"""The convolutional autoencoders."""
