"""Methods that find parts of a picture that were copied within it."""
