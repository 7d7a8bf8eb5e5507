"""Networks, their training, and the bundles that they are shipped in."""
