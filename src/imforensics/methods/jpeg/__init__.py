"""Methods that read traces of JPEG compression."""
