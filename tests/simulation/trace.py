"""What happened, line by line: when, who, what."""


class Trace:
    """The story of one run."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.now = lambda: 0.0

    def add(self, who: str, what: str) -> None:
        self.lines.append(f"{self.now():10.2f} {who:<9} {what}")
