"""The guide's own adapter passes the suite, exactly as it is printed there."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

GUIDE = Path(__file__).parents[2] / "docs/ADDING_AN_ADAPTER.md"
EXAMPLE = re.compile(r"<!-- file: (\S+) -->\n```python\n(.*?)```", re.DOTALL)


@pytest.fixture(scope="module")
def example(tmp_path_factory):
    """A folder with the guide's files and nothing else."""
    folder = tmp_path_factory.mktemp("acme")
    for name, code in EXAMPLE.findall(GUIDE.read_text(encoding="utf-8")):
        (folder / name).write_text(code, encoding="utf-8")
    (folder / "pytest.ini").write_text("[pytest]\nfilterwarnings = error\n")
    (folder / "conftest.py").write_text("import pytest\npytest.register_assert_rewrite('bridge.adapters.contract')\n")
    return folder


def run(*command, folder):
    return subprocess.run([sys.executable, "-m", *command], cwd=folder, capture_output=True, text=True, check=False)


def test_the_guides_adapter_passes_the_suite(example):
    done = run("pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", folder=example)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"\d\d passed", done.stdout), done.stdout


MISTAKES = {
    "test_the_same_request_and_key_charge_nothing_more": ('Key": key}', 'Key": __import__("uuid").uuid4().hex}'),
    "test_a_part_of_it_is_captured_exactly": ('key, {"amount": amount}', 'key, {"amount": 1023}'),
    "test_never_more_than_was_captured_is_refunded": ('"amount": request.amount', '"amount": min(request.amount, 1)'),
    "test_a_refund_in_parts_is_read_back_with_our_names": ('str(answer["reference"] or "")', '""'),
    "test_what_it_cannot_do_it_says_by_name": ("(BaseAdapter)", ""),
    "test_a_lost_answer_is_not_a_no_and_the_repeat_finds_the_payment": ("sent=not never_sent(error)", "sent=False"),
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
    done = run("pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", folder=tmp_path)
    failed = set(re.findall(r"^FAILED \S+::(\w+)", done.stdout, re.MULTILINE))
    assert set(MISTAKES) <= failed, done.stdout
