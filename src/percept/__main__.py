"""``python -m percept`` and ``torchrun -m percept``: the command line."""

from percept.cli import main

main()
