"""`make test` tells of every failure by its exit status: whatever fails, nothing lands."""

import shutil
import subprocess

import pytest

from house import ROOT, clean_environment

FAKE_SWIFT = """#!/bin/sh
case "$1 $FAILS" in
    "build build") echo "error: it does not compile"; exit 1 ;;
    "test test") echo "✘ Test run with 3 tests in 1 suite failed after 0.1 seconds with 1 issue."; exit 1 ;;
    "test crash") echo "✔ Test run with 3 tests in 1 suite passed after 0.1 seconds."; kill -SEGV $$ ;;
    test*) echo "✔ Test run with ${TESTS:-3} tests in 1 suite passed after 0.1 seconds." ;;
esac
"""


@pytest.fixture
def tree(tmp_path):
    """The scripts that run the tests, with a `swift` that does as it is told."""
    shutil.copytree(ROOT / ".make", tmp_path / ".make")
    (tmp_path / "Tests").mkdir()
    shutil.copy(ROOT / "Tests" / "mariadb", tmp_path / "Tests" / "mariadb")
    swift = tmp_path / "bin" / "swift"
    swift.parent.mkdir()
    swift.write_text(FAKE_SWIFT)
    swift.chmod(0o755)

    def run(**settings):
        environment = clean_environment(HUB_TEST_DATABASE_URL="mysql://none", **settings)
        environment["PATH"] = f"{swift.parent}:{environment['PATH']}"
        return subprocess.run([tmp_path / ".make" / "test", "swift"], capture_output=True, text=True, env=environment)

    return run


def test_swift_tests_that_pass_end_with_0(tree):
    done = tree()
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Test run with 3 tests" in done.stdout


@pytest.mark.parametrize("what", ["build", "test", "crash"])
def test_swift_tests_that_fail_end_with_1(tree, what):
    done = tree(FAILS=what)
    assert done.returncode == 1 and "failed: Swift tests" in done.stderr, done.stdout + done.stderr


def test_a_run_without_a_test_ends_with_1(tree):
    done = tree(TESTS="0")
    assert done.returncode == 1 and "no Swift test was executed" in done.stderr
