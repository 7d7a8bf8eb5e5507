"""Image forensics from the command line: tampering detection, localization and the evidence for both."""

__version__ = "0.2.0"
