// Every page in both themes, and two of them on a small screen, as small PNGs for the documentation.

import { mkdirSync } from "node:fs";
import { resolve } from "node:path";
import { open, test } from "../tests/fixtures";
import { PAGES, stock } from "../tests/stock";

const FOLDER = resolve("../docs/screenshots");
const REQUESTS = 160;

test("screenshots", async ({ page, gateway }, info) => {
  test.setTimeout(600_000);
  mkdirSync(FOLDER, { recursive: true });
  await stock(gateway, REQUESTS);
  const theme = info.project.name;
  for (const { name, path, ready, before } of PAGES) {
    await page.setViewportSize({ width: 1280, height: 800 });
    await open(page, path);
    await ready(page);
    await before?.(page);
    await page.screenshot({ path: `${FOLDER}/${name}-${theme}.png`, animations: "disabled" });
    if (theme === "light" && ["overview", "log"].includes(name)) {
      await page.setViewportSize({ width: 380, height: 740 });
      await ready(page);
      await page.screenshot({ path: `${FOLDER}/${name}-small.png`, animations: "disabled" });
    }
  }
});
