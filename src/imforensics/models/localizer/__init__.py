"""The localizer: from block traces and pixels to a map and a score."""
