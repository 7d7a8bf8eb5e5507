"""Image forensics: tampering detection, localization and the evidence for both.

    import imforensics

    report = imforensics.analyze("photo.jpg")

Importing this package loads nothing else: each name is loaded when it is first used (docs/api.md).
"""

TYPE_CHECKING = False  # type checkers take it for True by its name; to import typing would take 5 ms
if TYPE_CHECKING:
    from imforensics import errors, methods, types
    from imforensics.api import Report, analyze, read_evidence, scan

__version__ = "0.2.0"
__all__ = ["Report", "__version__", "analyze", "errors", "methods", "read_evidence", "scan", "types"]

if not TYPE_CHECKING:  # a type checker that saw it would take every misspelt name for one of ours

    def __getattr__(name: str) -> object:
        """Load a public name when it is first used."""
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        if name in ("errors", "methods", "types"):
            return import_module(f"{__name__}.{name}")  # which also sets it here
        return globals().setdefault(name, getattr(import_module(f"{__name__}.api"), name))

    def __dir__() -> list[str]:
        """The public names, loaded or not."""
        return sorted({*globals(), *__all__})
