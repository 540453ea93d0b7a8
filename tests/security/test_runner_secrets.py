"""A client that may submit commands tries to read what the runner's programs hold."""
import os

import pytest

SECRET = "wJalrXUtnFEMI-K7MDENG"
# As far as values are concerned, what the AWS command line tool does: it replaces some by the content of a file, and
# takes others for the path of a file to send. What it cannot use stands in its error message.
TOOL = '''#!/usr/bin/python3
import os, sys
service, operation = [word for word in sys.argv[1:] if not word.startswith("--") and word != "json"][:2]
if service == "configure" and operation == "export-credentials":
    print(os.environ["AWS_SECRET_ACCESS_KEY"])
for word in sys.argv[1:]:
    name, _, value = word.partition("=")
    for start in ("file://", "fileb://"):
        for mark in ("", "Key@="):
            if value.startswith(mark + start):
                value = open(value.removeprefix(mark + start)).read()
    path = os.path.expanduser(os.path.expandvars(value))
    if name == "--body" and os.path.isfile(path):
        value = open(path).read()
    if name in ("--bucket", "--body"):
        print(f"Invalid value for {name}: {value}", file=sys.stderr)
'''
POLICY = """
version: 1
roots: [{path: ROOT, write: true}]
commands:
  aws_operation: allow
  write_file: allow
  code_search: allow
environment: {pass: [AWS_SECRET_ACCESS_KEY], set: {PATH: "ROOT/bin:/usr/bin:/bin"}}
"""


@pytest.fixture
def aws_site(make_site):
    site = make_site(policy=POLICY, environment={"AWS_SECRET_ACCESS_KEY": SECRET})
    (site.root / "bin").mkdir()
    (site.root / "bin/aws").write_text(TOOL)
    (site.root / "bin/aws").chmod(0o755)
    return site


def operation(site, **parameters):
    return site.run(type="aws_operation", service="s3api", operation="put-object", parameters=parameters)


@pytest.mark.parametrize("value", ["file:///proc/self/environ", "fileb:///proc/self/environ",
                                   "Key@=file:///proc/self/environ"])
def test_a_value_that_the_tool_would_read_from_a_file_is_refused(aws_site, value):
    ended = operation(aws_site, bucket=value)
    assert SECRET not in str(ended), ended
    assert ended["status"] == "failed" and "content of a file or a page" in ended["error"], ended


@pytest.mark.parametrize("path", ["/proc/self/environ", "//proc/./self/environ", "~/../proc/self/environ",
                                  "$HOME/../proc/self/environ"])
def test_a_file_to_send_lies_below_a_root(aws_site, path):
    ended = operation(aws_site, body=path)
    assert SECRET not in str(ended), ended
    assert ended["status"] == "failed" and "refused by rule" in ended["error"], ended


def test_the_tools_own_commands_are_no_operations(aws_site):
    ended = aws_site.run(type="aws_operation", service="configure", operation="export-credentials", parameters={})
    assert SECRET not in str(ended), ended
    assert ended["status"] == "failed" and "a command of the tool" in ended["error"], ended


def test_operations_with_ordinary_values_go_on_working(aws_site):
    (aws_site.root / "data.txt").write_text("data")
    ended = operation(aws_site, bucket="photos", body="data.txt", delimiter="/", expected="$LATEST")
    assert ended["status"] == "completed", ended
    assert ended["result"]["stderr"] == "Invalid value for --bucket: photos\nInvalid value for --body: data\n"


def test_a_search_reads_no_file_through_a_link(aws_site):
    os.symlink("/proc/self/environ", aws_site.root / "absolute")
    os.symlink("../" * 20 + "proc/self/environ", aws_site.root / "relative")
    os.symlink("/proc/self", aws_site.root / "directory")
    for path in ("absolute", "relative", "directory/environ", "directory", ".", None):
        ended = aws_site.run(type="code_search", query="AWS", **({"path": path} if path else {}))
        assert SECRET not in str(ended), (path, ended)
    for directory in ("directory", "/proc/self", "absolute"):
        ended = aws_site.run(type="code_search", query="AWS", workingDir=directory)
        assert ended["status"] == "failed" and SECRET not in str(ended), (directory, ended)
