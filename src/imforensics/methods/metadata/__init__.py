"""Methods that read metadata and content credentials."""
