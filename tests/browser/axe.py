"""axe-core on an open page: WCAG 2.2 A and AA, and what axe calls best practice."""

from playwright.sync_api import Page

from coursebook import assets

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
SCHEMES = ("light", "dark")
WIDTHS = (1280, 390)
HEIGHT = 900
SETTLED_MS = 500
WHOLE = "@media screen { * { content-visibility: visible !important } }"
THROUGH = """async () => {
    for (let y = 0; y < document.documentElement.scrollHeight; y += innerHeight) {
        scrollTo({top: y, behavior: "instant"});
        await new Promise(requestAnimationFrame);
    }
    scrollTo({top: 0, behavior: "instant"});
}"""
RUN = """async (tags) => {
    const found = await axe.run(document, {runOnly: tags, resultTypes: ["violations"]});
    const told = ({target, html, failureSummary}) =>
        `  ${target.join(" ")}\\n    ${html.slice(0, 200)}\\n    ${failureSummary.replaceAll("\\n", " ")}`;
    // A formula that heads a column is read from its MathML, which this rule of best practice does not count.
    const formula = ({target}) => document.querySelector(target[0]).querySelector("mjx-assistive-mml math");
    const wrong = ({id, nodes}) => nodes.filter((node) => id !== "empty-table-header" || !formula(node));
    const faults = found.violations.map((one) => ({...one, nodes: wrong(one)}));
    return faults.filter(({nodes}) => nodes.length).map(({id, help, nodes}) =>
        `${id}: ${help} (${nodes.length} times)\\n${nodes.slice(0, 8).map(told).join("\\n")}`);
}"""


def violations(page: Page) -> list[str]:
    """Faults of the page in both colour schemes, on a wide screen and on a phone; each with the elements."""
    page.add_script_tag(path=assets.ensure(assets.TEST_LOCK) / "axe.min.js")
    # What is far from the window is laid out late, and what scrolls is made reachable when readers come near.
    page.add_style_tag(content=WHOLE)
    page.evaluate(THROUGH)
    found = []
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": HEIGHT})
            page.wait_for_timeout(SETTLED_MS)
            found += [f"{scheme}, {width} px: {fault}" for fault in page.evaluate(RUN, TAGS)]
    return found
