"""`python -m adapters.cli`: the same program without the console script."""

from adapters.cli.main import main

main()
