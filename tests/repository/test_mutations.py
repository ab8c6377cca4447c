"""The mutations that `make mutants` plays still apply, so that a refactoring takes them along."""

import ast
import subprocess
import sys

import pytest

from tests.mutations import MUTATIONS, Mutation
from tests.plugins.distributions import ROOT


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.rule)
def test_a_mutation_applies_and_names_tests_that_are_there(mutation: Mutation) -> None:
    source = (ROOT / mutation.file).read_text()
    mutated = mutation.applied_to(source)
    assert ast.dump(ast.parse(mutated)) != ast.dump(ast.parse(source))
    for test in mutation.tests:
        file, _, rest = test.partition("::")
        assert f"def {rest.partition('[')[0]}(" in (ROOT / file).read_text()


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.rule)
def test_a_mutation_names_only_what_is_there(mutation: Mutation) -> None:
    """A test that fails because a name is missing guards no rule."""
    mutated = mutation.applied_to((ROOT / mutation.file).read_text())
    look = [sys.executable, "-m", "ruff", "check", "--select=F821", "--stdin-filename", mutation.file, "-"]
    looked = subprocess.run(look, input=mutated, capture_output=True, text=True, cwd=ROOT, check=False)
    assert looked.returncode == 0, looked.stdout


def test_every_mutation_is_another_rule() -> None:
    assert len({mutation.rule for mutation in MUTATIONS}) == len(MUTATIONS) >= 25
