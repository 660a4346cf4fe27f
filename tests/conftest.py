"""What all tests share: the databases they run on."""

import os

os.environ.pop("COLUMNS", None)  # which pytest-xdist sets: tables are as wide as where nobody watches

pytest_plugins = ["tests.postgres"]
