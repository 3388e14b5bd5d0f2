# SPDX-License-Identifier: BSD-2-Clause
"""The code in docs/python.md runs, each block by itself, and prints what the page says."""

import contextlib
import doctest
import io
import pathlib
import re

import pytest

PAGE = (pathlib.Path(__file__).parents[2] / "docs" / "python.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```(?:\n\n```text\n(.*?)^```)?", PAGE, re.DOTALL | re.MULTILINE)

SESSIONS = re.findall(r"^```pycon\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("code, output", BLOCKS, ids=range(len(BLOCKS)))
def test_block(code, output):
    if "scapy" in code:
        pytest.importorskip("scapy", reason="scapy is not installed")
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        exec(compile(code, "docs/python.md", "exec"), {"__name__": "page"})
    assert said.getvalue() == output


@pytest.mark.parametrize("session", SESSIONS, ids=range(len(SESSIONS)))
def test_session(session, monkeypatch):
    conf = pytest.importorskip("scapy.config", reason="scapy is not installed").conf
    for setting in "L2socket", "L2listen", "verb":
        monkeypatch.setattr(conf, setting, getattr(conf, setting))
    said = io.StringIO()
    test = doctest.DocTestParser().get_doctest(session, {}, "docs/python.md", None, None)
    doctest.DocTestRunner().run(test, out=said.write)
    assert said.getvalue() == ""


def test_the_page_has_code():
    assert len(BLOCKS) >= 5 and SESSIONS
