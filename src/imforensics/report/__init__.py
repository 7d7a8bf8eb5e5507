"""Reports for people and programs: figures, JSON, CSV, HTML."""
