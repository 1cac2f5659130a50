"""The report of a version in a real browser: legible on a wide and on a narrow screen, in light and in dark.

These tests need Chromium, and `axe-core` (https://github.com/dequelabs/axe-core) for the rules of accessibility. It is
looked for at the address of the environment variable `AXE`, and where `npm install --prefix tests axe-core` puts it.
"""

import json
import os
import re
import shutil
import subprocess
import tempfile
from html import unescape
from pathlib import Path

import pytest
from pages import HOSTILE, full

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
AXE = Path(os.environ.get("AXE", Path(__file__).parents[2] / "node_modules/axe-core/axe.min.js"))
FLAGS = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--enable-logging=stderr", "--virtual-time-budget=20000"),
)
SCHEMES = {"dark": 0, "light": 1}  # blink's numbers
LOOK = """
<script>
addEventListener("load", async () => {
  for (const each of document.querySelectorAll("details")) each.open = true;
  const root = document.documentElement, found = {
    width: root.clientWidth, needed: root.scrollWidth,
    dark: matchMedia("(prefers-color-scheme: dark)").matches, paper: getComputedStyle(root).backgroundColor,
    text: document.body.innerText, images: document.images.length, wrong: null,
  };
  if (window.axe) {
    const rules = await axe.run(document, {resultTypes: ["violations"], iframes: false});
    found.wrong = rules.violations.map(rule => [rule.id, rule.nodes.length, rule.nodes[0].html.slice(0, 200)]);
  }
  parent.postMessage(JSON.stringify(found), "*");
});
</script>
"""
FRAME = """<!DOCTYPE html><title>frame</title><pre id="found"></pre>
<script>addEventListener("message", event => document.getElementById("found").textContent = event.data)</script>
<iframe src="looked.html" width="{width}" height="800" style="border: 0"></iframe>
"""
POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy"[^>]*>')

pytestmark = pytest.mark.skipif(BROWSER is None, reason="no Chromium is installed")


def opened(file: Path, *flags: str) -> subprocess.CompletedProcess[str]:
    """Open a file in the browser."""
    with tempfile.TemporaryDirectory() as profile:
        command = [str(BROWSER), *FLAGS, *flags, f"--user-data-dir={profile}", file.as_uri()]
        return subprocess.run(command, check=False, capture_output=True, text=True, timeout=180)


def looked_at(page: str, where: Path, width: int, scheme: str, *, axe: bool = False) -> dict[str, object]:
    """What a script finds in a copy of the page that allows it, in a frame of some width with everything unfolded."""
    script = f"<script>{AXE.read_text('utf-8')}</script>" if axe else ""
    body = POLICY.sub("", page).removesuffix("</html>\n").removesuffix("</html>") + script + LOOK
    (where / "looked.html").write_text(body, "utf-8")
    (where / "frame.html").write_text(FRAME.format(width=width), "utf-8")
    done = opened(where / "frame.html", "--dump-dom", f"--blink-settings=preferredColorScheme={SCHEMES[scheme]}")
    found = re.search(r'<pre id="found">(.*?)</pre>', done.stdout, re.DOTALL)
    assert found is not None, done.stderr[-2000:]
    return dict(json.loads(unescape(found[1])))


def test_the_console_stays_empty(processes: None, tmp_path: Path) -> None:
    """The browser reports nothing wrong, and its policy has nothing to forbid."""
    file = tmp_path / "report.html"
    file.write_text(full(), "utf-8")
    done = opened(file, "--dump-dom")
    assert "The verdict" in done.stdout
    assert [line for line in done.stderr.splitlines() if "CONSOLE" in line] == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 660, 720, 1280])  # a telephone, MLflow's pane, beside it, a screen
def test_a_page_fits_its_screen(processes: None, tmp_path: Path, width: int, scheme: str) -> None:
    """With all unfolded and names of 300 letters, it never scrolls sideways, and it has the reader's colours."""
    found = looked_at(full(), tmp_path, width, scheme)
    assert found["width"] >= width - 20, "the frame has another width"
    assert found["needed"] <= found["width"]
    assert found["dark"] == (scheme == "dark")
    level = int(re.findall(r"\d+", str(found["paper"]))[0])
    assert level < 64 if scheme == "dark" else level > 192


def test_a_name_stays_text(processes: None, tmp_path: Path) -> None:
    """A column that is called like an element is read as that text, and no element comes of it."""
    found = looked_at(full(), tmp_path, 1280, "light")
    assert HOSTILE["image"] in str(found["text"])
    assert found["images"] == 0


@pytest.mark.skipif(not AXE.exists(), reason="axe-core is not there: npm install --prefix tests axe-core, or set AXE")
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_everybody_can_read_it(processes: None, tmp_path: Path, width: int, scheme: str) -> None:
    """axe-core finds nothing wrong: contrast, landmarks, headings, tables, names of pictures, keyboard."""
    assert looked_at(full(), tmp_path, width, scheme, axe=True)["wrong"] == []


def test_a_page_prints(processes: None, tmp_path: Path) -> None:
    """It prints on paper as a PDF of some pages."""
    file = tmp_path / "report.html"
    file.write_text(full(), "utf-8")
    opened(file, f"--print-to-pdf={tmp_path / 'report.pdf'}")
    printed = (tmp_path / "report.pdf").read_bytes()
    assert printed.startswith(b"%PDF")
    assert 2 <= len(re.findall(rb"/Type /Page\b", printed)) <= 30
