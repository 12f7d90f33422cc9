"""`python -m customs`: the same as the `customs` command, for processes started by the desk itself."""

from customs.cli import main

main()
