"""The use cases behind the commands: evidence in, report out."""
