"""Why a file is not taken: the exact sentence, and a code for those who say it in other words."""

from customs.errors import ErrorDetail, FileUnreadable


def unreadable(code: str, detail: str) -> FileUnreadable:
    """The refusal of a file as a whole."""
    return FileUnreadable(detail, errors=[ErrorDetail("", code, detail)])
