"""The guide's own adapter passes the suite, exactly as it is printed there."""

import re
import subprocess
import sys

import pytest

from bridge.adapters import Adapter, BaseAdapter
from bridge.domain.ports import VERBS
from tests.docs.adapter_reference import GUIDE, reference, updated

EXAMPLE = re.compile(r"<!-- file: (\S+) -->\n```python\n(.*?)```", re.DOTALL)

LEAST = """
from least_pay import LeastPay
from test_acme_pay import AcmeProvider, TestAcmePay

class TestLeastPay(TestAcmePay):
    kind = LeastPay

del TestAcmePay
"""
SCREEN = 70
"""Lines of a window of an editor."""


@pytest.fixture(scope="module")
def example(tmp_path_factory):
    """A folder with the guide's files and nothing else."""
    folder = tmp_path_factory.mktemp("acme")
    for name, code in EXAMPLE.findall(GUIDE.read_text(encoding="utf-8")):
        (folder / name).write_text(code, encoding="utf-8")
    (folder / "test_least_pay.py").write_text(LEAST, encoding="utf-8")
    (folder / "pytest.ini").write_text("[pytest]\nfilterwarnings = error\n")
    (folder / "conftest.py").write_text("import pytest\npytest.register_assert_rewrite('bridge.adapters.contract')\n")
    return folder


def run(*command, folder):
    return subprocess.run([sys.executable, "-m", *command], cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("name", ["acme_pay", "least_pay"])
def test_the_guides_adapters_pass_the_suite(example, name):
    done = run("pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", f"test_{name}.py", folder=example)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"\d\d passed", done.stdout), done.stdout


TABLE = {
    "acme_pay": ["create          declared      31 passed", "find            not declared  2 skipped"],
    "least_pay": ["refund          not declared  6 skipped", "fetch           declared      "],
}


@pytest.mark.parametrize("name", TABLE)
@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "xdist"])
def test_a_run_ends_with_what_is_declared_tested_and_skipped(example, tmp_path, name, workers):
    for file in example.glob("*.py"):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    conftest = 'pytest_plugins = ["bridge.adapters.contract"]\n' if workers else ""
    (tmp_path / "conftest.py").write_text(conftest)
    done = run("pytest", "-q", "-p", "no:cacheprovider", *workers, f"test_{name}.py", folder=tmp_path)
    [table] = re.findall(rf"= adapter contract: {name} =+\n(.*)\n\d+ passed", done.stdout, re.DOTALL)
    assert table.splitlines()[0].startswith("replay_window=86400.0, names_refunds=True")
    assert [line for line in TABLE[name] if line not in table] == []
    if name == "acme_pay":
        assert table.startswith(shown_by_the_guide())
    assert "1 skipped: the Provider has no documentation" in table
    passed, skipped = (
        sum(map(int, re.findall(rf"^\S.* (\d+) {word}", table, re.MULTILINE))) for word in ("passed", "skipped")
    )
    assert done.stdout.rstrip().splitlines()[-1].startswith(f"{passed} passed, {skipped} skipped")


def shown_by_the_guide():
    """How the table of its adapter begins."""
    guide = GUIDE.read_text(encoding="utf-8")
    [table] = re.findall(r"^=+ adapter contract: acme_pay =+\n(.*?)\.\.\.\n```$", guide, re.DOTALL | re.MULTILINE)
    return table


def test_what_is_declared_and_not_tested_is_said(example, tmp_path):
    for file in example.glob("*.py"):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    code = (example / "acme_pay.py").read_text(encoding="utf-8")
    assert '"capture", "refund"})' in code
    (tmp_path / "acme_pay.py").write_text(code.replace('"capture", "refund"})', '"capture", "refund", "events"})'))
    done = run("pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "test_acme_pay.py", folder=tmp_path)
    assert "events          declared      NOT TESTED, 7 skipped\n" in done.stdout
    assert "4 skipped: the Provider has no message\n" in done.stdout


def test_the_least_is_one_screen(example):
    assert len((example / "least_pay.py").read_text(encoding="utf-8").splitlines()) <= SCREEN


def test_the_guides_reference_is_what_the_code_says():
    guide = GUIDE.read_text(encoding="utf-8")
    assert updated(guide) == guide, "python -m tests.docs.adapter_reference"


def test_the_reference_has_every_method_and_attribute():
    told = reference()
    assert [name for name in Adapter.__annotations__ if f"| `{name}` |" not in told] == []
    verbs = {name for name, member in vars(Adapter).items() if not name.startswith("_") and callable(member)}
    assert [name for name in verbs if f"\n{name}(" not in told] == []
    assert verbs >= {verb for group in VERBS.values() for verb in group}


def test_base_adapter_has_all_that_the_least_does_not_write():
    written = {"operations", "prepare", "create", "fetch", "name"}
    wanted = {name for name in {*vars(Adapter), *Adapter.__annotations__} if not name.startswith("_")}
    assert sorted(name for name in wanted - written if not hasattr(BaseAdapter, name)) == []


MISTAKES = {
    "test_the_same_request_and_key_charge_nothing_more": ('Key": key}', 'Key": __import__("uuid").uuid4().hex}'),
    "test_a_part_of_it_is_captured_exactly": ('key, {"amount": amount}', 'key, {"amount": 1023}'),
    "test_never_more_than_was_captured_is_refunded": ('"amount": request.amount', '"amount": min(request.amount, 1)'),
    "test_a_refund_in_parts_is_read_back_with_our_names": ('str(answer["reference"] or "")', '""'),
    "test_what_it_cannot_do_it_says_by_name": ("(BaseAdapter)", ""),
    "test_a_lost_answer_is_not_a_no_and_the_payment_is_found": ("sent=not never_sent(error)", "sent=False"),
    "test_secrets_are_nowhere": ('"Acme could not be reached."', 'f"{self._headers}"'),
    "test_a_status_that_nobody_knows_means_processing": ("Status.PROCESSING", "Status.CANCELED"),
    "test_test_settings_do_not_work_in_live_mode": ('"live_" if live else "test_"', '"test_"'),
    "test_manual_capture_only_holds_the_money": ('"hold": payment.capture == "manual"', '"hold": False'),
    "test_prepare_is_pure": ('"reference": payment.attempt_id', '"reference": __import__("uuid").uuid4().hex'),
}


def test_the_suite_finds_what_adapters_get_wrong(example, tmp_path):
    for file in example.iterdir():
        if file.is_file():
            (tmp_path / file.name).write_bytes(file.read_bytes())
    code = (example / "acme_pay.py").read_text(encoding="utf-8")
    for right, wrong in MISTAKES.values():
        assert right in code
        code = code.replace(right, wrong)
    (tmp_path / "acme_pay.py").write_text(code, encoding="utf-8")
    done = run("pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "test_acme_pay.py", folder=tmp_path)
    failed = set(re.findall(r"^FAILED \S+::(\w+)", done.stdout, re.MULTILINE))
    assert set(MISTAKES) <= failed, done.stdout
