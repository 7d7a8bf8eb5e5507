"""Methods that compare a picture with what a network makes of it."""
