"""Run the command line: ``python -m hipercow_tui``."""

from hipercow_tui.cli.main import main

if __name__ == "__main__":
    raise SystemExit(main())
