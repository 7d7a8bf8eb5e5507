"""The use cases behind the commands: evidence in, reports out. Nothing here prints or exits."""
