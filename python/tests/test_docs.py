# SPDX-License-Identifier: BSD-2-Clause
"""The code in docs/python.md runs, each block by itself, and says what the page says it does."""

import contextlib
import io
import pathlib
import re

import pytest

PAGE = (pathlib.Path(__file__).parents[2] / "docs" / "python.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```(?:\n\n```text\n(.*?)^```)?", PAGE, re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("code, output", BLOCKS)
def test_block(code, output):
    if "scapy" in code:
        pytest.importorskip("scapy", reason="scapy is not installed")
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        exec(compile(code, "docs/python.md", "exec"), {"__name__": "page"})
    assert said.getvalue() == output


def test_the_page_has_code():
    assert len(BLOCKS) >= 5
