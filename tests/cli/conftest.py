"""`shopkeeper`: a bridge that was set up with the command line, with programs to start."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from bridge.simulators.certificates import Certificates
from tests.cli.processes import Shopkeeper
from tests.plugins.commandline import CommandLine


@pytest.fixture
def shopkeeper(cli: CommandLine, certificates: Certificates) -> Iterator[Shopkeeper]:
    with ExitStack() as stack:
        yield Shopkeeper(cli, certificates, stack)
