"""`python -m incident_actions COMMAND`: the program behind the action and the shell command."""

import sys

from incident_actions.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
