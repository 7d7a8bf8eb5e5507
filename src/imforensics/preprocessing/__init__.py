"""Pure maths on pixels: error level analysis, wavelets, JPEG encoding, windows."""
