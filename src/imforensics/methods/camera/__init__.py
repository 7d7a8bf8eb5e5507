"""Methods that read a camera's interpolation, and later resampling."""
