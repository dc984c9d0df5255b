"""`python -m centrala` is the `centrala` command."""

from centrala.cli import main

main()
