// Run Lighthouse on every page it is given, in one browser, and write a report for each.
// stdin: {modules, chromium, runs: [{url, form: "mobile" | "desktop", report: path}]}

import {createRequire} from "node:module";
import {readFileSync, writeFileSync} from "node:fs";
import {pathToFileURL} from "node:url";

const {modules, chromium, runs} = JSON.parse(readFileSync(0, "utf8"));
const require = createRequire(`${modules}/`);
const load = (name) => import(pathToFileURL(require.resolve(name)));
const {default: lighthouse, desktopConfig} = await load("lighthouse");
const {launch} = await load("chrome-launcher");

const chrome = await launch({chromePath: chromium, chromeFlags: ["--headless=new", "--no-sandbox"]});
const flags = {
    port: chrome.port,
    logLevel: "error",
    output: "json",
    onlyCategories: ["performance", "accessibility", "best-practices", "seo"],
    disableFullPageScreenshot: true,
};
try {
    for (const {url, form, report} of runs) {
        // Without a configuration Lighthouse is a phone: simulated, 150 ms, 1638.4 kbit/s, a CPU four times slower.
        const result = await lighthouse(url, flags, form === "desktop" ? desktopConfig : undefined);
        writeFileSync(report, result.report);
    }
} finally {
    await chrome.kill();
}
