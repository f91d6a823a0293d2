"""Texts, raw cells, attachments and metadata carry scripts, for the browser of whoever marks."""
# earned: same_padding=4

from tests.attacks.bank import answer, cell, dump

RUN = "document.title='owned'"
TAGS = (
    f"<script>{RUN}</script>",
    f'<img src="x:" onerror="{RUN}">',
    f'<svg/onload="{RUN}">',
    f'<iframe srcdoc="<script>parent.{RUN}</script>"></iframe>',
    f'<details open ontoggle="{RUN}"><summary>a</summary></details>',
    '<meta http-equiv="refresh" content="0;url=about:blank">',
    '<base href="https://example.com/"><form action="//example.com"><button>Mark</button></form>',
    f"<!--><script>{RUN}</script>-->",
    f"<?php <script>{RUN}</script> ?>",
    f"</div></section></main><script>{RUN}</script>",
)
SCHEMES = (
    "javascript:",
    "\n JavaScript:",
    "<javascript:",
    "< java\tscript:",
    "java&Tab;script:",
    "&#106;avascript&colon;",
    "javascript\\:",
    "\x01javascript:",
    "data:text/html,",
    "vbscript:",
    "jar:javascript:",
    "https:javascript:",
)
TEXTS = (
    f"![a](javascript:{RUN}) <javascript:{RUN}>",
    f'![a](x: "\\" onerror=\\"{RUN}") ![" onerror="{RUN}](x:)',
    f'# a <script>{RUN}</script>\n\n## "><script>{RUN}</script>',
    f"$</script><script>{RUN}</script>$ $$\\href{{javascript:{RUN}}}{{a}}$$",
    f'```"><script>{RUN}</script>\na\n```',
    '[a]: x" onerror="a\n\n![a]',
    "| a |\n|---|\n| <script>" + RUN + "</script> |",
    "![a](attachment:a.png) ![b](attachment:b) ![c](attachment:absent.png)",
    *(f"[a]({scheme}{RUN})" for scheme in SCHEMES),
    *(f"[b{n}][{n}]\n\n[{n}]: {scheme}{RUN}" for n, scheme in enumerate(SCHEMES)),
)


def build(released):
    answer(released, "same_padding")
    cell(released, "why_not_inverse")["source"] = "\n\n".join((*TAGS, *TEXTS))
    inject = f'"><script>{RUN}</script>'
    attachments = {
        "a.png": {f"image/png{inject}": "x"},
        "b": {"text/html": f"{inject}", "image/png": inject},
    }
    for number, text in enumerate((*TAGS, *TEXTS)):
        raw = {"cell_type": "raw", "id": f"raw-{number}", "source": text}
        raw["metadata"] = {"raw_mimetype": "text/html", "format": "text/html"}
        prose = {"cell_type": "markdown", "id": f"prose-{number}", "source": text}
        prose["metadata"] = {"tags": [inject], "slideshow": {"slide_type": inject}}
        prose["attachments"] = attachments
        released["cells"] += [raw, prose]
    released["metadata"]["title"] = f"</title><script>{RUN}</script>"
    state = {"state": {"a": f"</script><script>{RUN}</script>"}, "version_major": 2}
    released["metadata"]["widgets"] = {"application/vnd.jupyter.widget-state+json": state}
    return dump(released)
