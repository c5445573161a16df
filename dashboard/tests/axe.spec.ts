// Every page in both themes: no serious finding of axe, usable at 380 px.

import AxeBuilder from "@axe-core/playwright";
import type { Page } from "@playwright/test";
import { expect, open, test } from "./fixtures";
import { PAGES, stock } from "./stock";

async function findings(page: Page): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page })
    .withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"])
    .analyze();
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .flatMap(({ id, nodes }) =>
      nodes.map(({ target, failureSummary }) => `${id} ${target.join(" ")}: ${failureSummary?.split("\n")[1]?.trim()}`),
    );
}

for (const { name, path, ready } of PAGES) {
  test(`${name} has no serious finding and fits 380 px`, async ({ page, gateway }) => {
    await stock(gateway);
    await open(page, path);
    await ready(page);
    expect(await findings(page)).toEqual([]);
    await page.setViewportSize({ width: 380, height: 740 });
    await ready(page);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    expect(wide, "pixels to the right of the screen").toBeLessThanOrEqual(0);
    expect(await findings(page)).toEqual([]);
  });
}

test("dialogs, menus and the palette have no serious finding", async ({ page }) => {
  await open(page, "gateways");
  await page.getByRole("button", { name: "New gateway" }).click();
  expect(await findings(page)).toEqual([]);
  await page.keyboard.press("Escape");
  await page.keyboard.press("Control+k");
  expect(await findings(page)).toEqual([]);
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Theme and session" }).click();
  expect(await findings(page)).toEqual([]);
});
