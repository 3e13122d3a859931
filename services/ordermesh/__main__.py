"""`python -m ordermesh`: the same as the command `ordermesh`."""

from ordermesh.cli.main import main

if __name__ == "__main__":
    main()
