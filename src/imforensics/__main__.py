"""`python -m imforensics`: the command line, for whoever's scripts folder is not on the path."""

from imforensics.cli.main import main

if __name__ == "__main__":
    main()
