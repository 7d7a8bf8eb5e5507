"""The one owner of output folders: they are claimed, locked, written atomically, and emptied of nothing else.

A marker, `.imforensics-output.jsonl`, holds a line for every file that was written: its path, size and
SHA-256. A digest is on disk before its file takes its place, so a kill at any moment leaves no file of ours
unknown. Only files that the marker lists, and that are as they were written, are ever replaced or deleted.
"""

from imforensics.outputs.files import (
    ADOPT,
    delete_own,
    name_file,
    part_name,
    record_file,
    record_files,
    record_log,
    record_pattern,
    replacing_file,
    write_atomically,
)
from imforensics.outputs.folder import (
    DATA_SET,
    OutputFolder,
    claim_folder,
    join_folder,
    output_kind,
    refuse_inputs,
    refuse_rescanned,
)
from imforensics.outputs.manifest import MARKER

__all__ = [
    "ADOPT",
    "DATA_SET",
    "MARKER",
    "OutputFolder",
    "claim_folder",
    "delete_own",
    "join_folder",
    "name_file",
    "output_kind",
    "part_name",
    "record_file",
    "record_files",
    "record_log",
    "record_pattern",
    "refuse_inputs",
    "refuse_rescanned",
    "replacing_file",
    "write_atomically",
]
