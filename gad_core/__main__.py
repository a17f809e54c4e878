"""The command line, `python -m gad_core COMMAND`; installed, it is `gad COMMAND`."""

from gad_core.command_line import main

if __name__ == "__main__":
    main()
