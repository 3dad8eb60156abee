"""Let `python -m hostseal` do what the console script does."""

from hostseal.cli.main import main

if __name__ == "__main__":
    main()
