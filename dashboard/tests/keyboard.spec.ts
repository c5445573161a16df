// The main tasks by keyboard alone: no pointer is used in this file.

import type { Page } from "@playwright/test";
import { expect, open, test } from "./fixtures";

/** Tab until the element has the focus, as a person would. */
async function tabTo(
  page: Page,
  name: RegExp | string,
  role: "button" | "link" | "textbox" | "switch" | "tab" | "combobox" | "radio" | "spinbutton",
) {
  const wanted = page.getByRole(role, { name, exact: typeof name === "string" }).first();
  await expect(wanted).toBeVisible();
  for (let step = 0; step < 150; step++) {
    if (await wanted.evaluate((element) => element === document.activeElement)) return;
    await page.keyboard.press("Tab");
  }
  throw new Error(`${name} cannot be reached by Tab`);
}

test("1 the first Tab skips to the content", async ({ page }) => {
  await page.keyboard.press("Tab");
  await expect(page.getByRole("link", { name: "Skip to content" })).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(page.locator("#content")).toBeFocused();
});

test("2 pages are reached by g and a letter", async ({ page }) => {
  for (const [key, title] of [
    ["l", "Logs"],
    ["p", "Playground"],
    ["r", "Routes"],
    ["s", "Settings"],
    ["w", "Gateways"],
    ["o", "Overview"],
  ] as const) {
    await page.keyboard.press("g");
    await page.keyboard.press(key);
    await expect(page.getByRole("heading", { name: title, level: 1 })).toBeAttached();
  }
});

test("3 the palette finds a page, and Esc leaves it", async ({ page }) => {
  await page.keyboard.press("Control+k");
  await expect(page.getByRole("combobox", { name: "Search or jump" })).toBeFocused();
  await page.keyboard.type("gateways");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { name: "Gateways", level: 1 })).toBeVisible();
  await page.keyboard.press("Control+k");
  await page.keyboard.press("Escape");
  await expect(page.getByRole("combobox", { name: "Search or jump" })).toBeHidden();
});

test("4 and 5 the log is walked with j and k, and searched with /", async ({ page, gateway }) => {
  await gateway.make("walked");
  for (const model of ["sandbox-a", "sandbox-b", "sandbox-c"])
    await gateway.ask("walked", { model, messages: [{ role: "user", content: "Hello" }] });
  await open(page, "g/walked/logs");
  await expect(page.getByText("3 requests")).toBeVisible();
  const drawer = page.getByRole("complementary", { name: "Log detail" });
  await page.keyboard.press("j");
  await expect(drawer.getByRole("heading", { name: "sandbox-c" })).toBeVisible();
  await page.keyboard.press("j");
  await expect(drawer.getByRole("heading", { name: "sandbox-b" })).toBeVisible();
  await page.keyboard.press("k");
  await expect(drawer.getByRole("heading", { name: "sandbox-c" })).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(drawer).toBeHidden();
  await page.keyboard.press("/");
  await page.keyboard.type("model:sandbox-a");
  await page.keyboard.press("Enter");
  await expect(page.getByText("1 request", { exact: true })).toBeVisible();
});

test("6 a request is sent again with r, 7 and taken to the playground with p", async ({ page, gateway }) => {
  await gateway.make("again");
  await gateway.ask("again", { messages: [{ role: "user", content: "Twice please" }] });
  await open(page, "g/again/logs");
  await expect(page.getByText("1 request", { exact: true })).toBeVisible();
  await page.keyboard.press("j");
  await expect(page.getByText("Twice please", { exact: true })).toBeVisible();
  await page.keyboard.press("r");
  await expect(page.getByText("2 requests")).toBeVisible();
  await expect(page.getByText("Twice please", { exact: true })).toBeVisible();
  await page.keyboard.press("p");
  await expect(page.getByRole("textbox", { name: "Message" })).toHaveValue("Twice please");
});

test("8 a gateway is made", async ({ page }, info) => {
  await open(page, "gateways");
  await tabTo(page, "New gateway", "button");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("textbox", { name: "Name" })).toBeFocused();
  await page.keyboard.type(`keys-${info.project.name}`);
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { name: "Overview", level: 1 })).toBeVisible();
});

test("9 a setting is changed", async ({ page, gateway }) => {
  await gateway.make("switched");
  await open(page, "g/switched/settings");
  await tabTo(page, "Require a token", "switch");
  await page.keyboard.press("Space");
  await tabTo(page, "Save", "button");
  await page.keyboard.press("Enter");
  await expect(page.getByText("Settings saved")).toBeVisible();
  expect((await gateway.api("GET", "/gateways/switched")).body.result.authentication).toBe(true);
});

test("10 a question is asked in the playground", async ({ page }) => {
  await open(page, "g/default/playground");
  await tabTo(page, "Message", "textbox");
  await page.keyboard.type("Anybody there?");
  await page.keyboard.press("Control+Enter");
  await expect(page.getByText(/You said: "Anybody there\?"/).first()).toBeVisible();
});

test("11 an element of a route is edited and deployed", async ({ page, gateway }, info) => {
  await gateway.make("routed");
  const elements = [
    { id: "start", type: "start", outputs: { next: { elementId: "only" } } },
    {
      id: "only",
      type: "model",
      properties: { provider: "sandbox", model: "sandbox-1" },
      outputs: { success: { elementId: "end" } },
    },
    { id: "end", type: "end", outputs: {} },
  ];
  const name = `keys-${info.project.name}`;
  await gateway.api("POST", "/gateways/routed/routes", { name, elements });
  await open(page, `g/routed/routes/${name}`);
  await tabTo(page, /Model only/, "button");
  await page.keyboard.press("Enter");
  await tabTo(page, "Model", "textbox");
  await page.keyboard.press("Control+a");
  await page.keyboard.type("sandbox-2");
  await expect(page.getByText("serves")).toBeVisible();
  await page.keyboard.press("Home");
  for (let step = 0; step < 60; step++) {
    if (await page.getByRole("button", { name: "Deploy" }).evaluate((button) => button === document.activeElement))
      break;
    await page.keyboard.press("Shift+Tab");
  }
  await page.keyboard.press("Enter");
  await expect(page.getByText("Deployed: the next request takes it")).toBeVisible();
});

test("12 the theme is changed", async ({ page }) => {
  await tabTo(page, "Theme and session", "button");
  await page.keyboard.press("Enter");
  await page.keyboard.type("Dark");
  await page.keyboard.press("Enter");
  await expect(page.locator("html")).toHaveAttribute("data-theme", "dark");
});
