"""`python -m kvidgan` is `kvidgan`."""

from kvidgan.cli import main

main()
