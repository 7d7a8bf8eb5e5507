"""Methods that read noise, filtering and sharpness."""
