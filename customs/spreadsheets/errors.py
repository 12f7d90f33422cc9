"""The error for a file that cannot be read, with a code that leads to its translation."""

from customs.errors import ErrorDetail, FileUnreadable


def unreadable(code: str, detail: str) -> FileUnreadable:
    """Return the error that refuses a file."""
    return FileUnreadable(detail, errors=[ErrorDetail("", code, detail)])
