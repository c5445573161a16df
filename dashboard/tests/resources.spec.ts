// The resources that share one page: made, seen, changed, deleted. A page whose endpoint is not there is not offered.

import { expect, open, test } from "./fixtures";

test("a custom provider is made, disabled and deleted", async ({ page, gateway }, info) => {
  const slug = `mine-${info.project.name}`;
  await open(page, "custom-providers");
  await page.getByRole("button", { name: "New provider" }).first().click();
  await page.getByLabel("Name").fill(slug);
  await page.getByLabel("Slug").fill("not a slug!");
  await page.getByLabel("Base URL").fill("https://models.example.com/v1");
  await page.getByRole("button", { name: "Create" }).click();
  await expect(page.locator(".fault").first()).toBeVisible();
  await page.getByLabel("Slug").fill(slug);
  await page.getByRole("button", { name: "Create" }).click();
  const row = page.getByRole("row").filter({ hasText: `custom-${slug}` });
  await expect(row.getByText("enabled")).toBeVisible();
  await row.getByRole("button", { name: "Disable" }).click();
  await expect(row.getByText("disabled")).toBeVisible();
  await row.getByRole("button", { name: `Delete ${slug}` }).click();
  await page.getByRole("button", { name: "Delete", exact: true }).click();
  await expect(row).toHaveCount(0);
  const { body } = await gateway.api("GET", "/custom-providers");
  expect(body.result.filter((each: { slug: string }) => each.slug === slug)).toEqual([]);
});

test("a provider's key is stored, and never shown again", async ({ page, gateway }, info) => {
  const id = `keyed-${info.project.name}`;
  await gateway.make(id);
  await open(page, `g/${id}/keys`);
  await page.getByRole("button", { name: "New key" }).first().click();
  await page.getByLabel("Provider").fill("openai");
  await page.getByLabel("Key", { exact: true }).fill("sk-fake-0123456789abcdef");
  await page.getByRole("button", { name: "Create" }).click();
  const row = page.getByRole("row").filter({ hasText: "openai" });
  await expect(row.getByText("by default")).toBeVisible();
  expect(await page.content()).not.toContain("0123456789ab");
  await row.getByRole("button", { name: "Delete openai, default" }).click();
  await page.getByRole("button", { name: "Delete", exact: true }).click();
  await expect(row).toHaveCount(0);
});

test("a dataset is a filter of the log, written as in the log", async ({ page, gateway }, info) => {
  await gateway.make("sets");
  const name = `liked-${info.project.name}`;
  await open(page, "g/sets/datasets");
  await page.getByRole("button", { name: "New dataset" }).first().click();
  await page.getByLabel("Name").fill(name);
  await page.getByLabel("Filter").fill("cost:>0.05 model:gpt");
  await page.getByRole("button", { name: "Create" }).click();
  await expect(page.getByRole("row").filter({ hasText: name }).getByText("cost gt 0.05")).toBeVisible();
  const { body } = await gateway.api("GET", "/gateways/sets/datasets");
  expect(body.result[0].filters).toEqual([
    { key: "cost", operator: "gt", value: [0.05] },
    { key: "model", operator: "contains", value: ["gpt"] },
  ]);
});

test("an alert is made, tested, and what became of the test is listed", async ({ page, gateway }, info) => {
  const name = `money-${info.project.name}`;
  await open(page, "alerts");
  await page.getByRole("button", { name: "New alert" }).first().click();
  await page.getByLabel("Name").fill(name);
  await page.getByLabel("Webhook URL").fill("https://127.0.0.1/hook");
  await page.getByRole("button", { name: "Create" }).click();
  await expect(page.locator(".fault").first()).toBeVisible();
  // Nobody has this name, so that the test goes nowhere.
  await page.getByLabel("Webhook URL").fill("https://hooks.invalid/alerts");
  await page.getByRole("button", { name: "Create" }).click();
  await expect(page.getByText(/whsec_/)).toBeVisible();
  await page.keyboard.press("Escape");
  const row = page.getByRole("row").filter({ hasText: name });
  await expect(row.getByText("enabled")).toBeVisible();
  await row.getByRole("button", { name: "Test" }).click();
  await expect(page.getByText(/The test did not arrive/)).toBeVisible({ timeout: 20_000 });
  await row.getByRole("button", { name: "Deliveries" }).click();
  const deliveries = page.getByRole("dialog", { name: `Deliveries of ${name}` });
  await expect(deliveries.getByText("alert.test")).toBeVisible();
  await expect(deliveries.getByText("failed", { exact: true })).toBeVisible();
  await page.keyboard.press("Escape");
  await row.getByRole("button", { name: `Delete ${name}` }).click();
  await page.getByRole("button", { name: "Delete", exact: true }).click();
  await expect(row).toHaveCount(0);
  const { body } = await gateway.api("GET", "/alerts");
  expect(body.result.filter((each: { name: string }) => each.name === name)).toEqual([]);
});

test("only what the API has is offered", async ({ page, gateway }) => {
  const { paths } = await (await fetch(`${gateway.url}/client/v4/openapi.json`)).json();
  const offered = await page.getByRole("navigation", { name: "Main" }).getByRole("link").allInnerTexts();
  const expected: [string, string][] = [
    ["Tokens", "/accounts/{account}/tokens"],
    ["Audit", "/accounts/{account}/audit_logs"],
    ["Alerts", "/accounts/{account}/ai-gateway/alerts"],
    ["Custom providers", "/accounts/{account}/ai-gateway/custom-providers"],
    ["Datasets", "/accounts/{account}/ai-gateway/gateways/{gateway}/datasets"],
    ["Provider keys", "/accounts/{account}/ai-gateway/gateways/{gateway}/provider_configs"],
    ["Policies", "/accounts/{account}/ai-gateway/gateways/{gateway}/policies"],
  ];
  const shown = offered.map((text) => text.trim());
  for (const [label, path] of expected) expect([label, shown.includes(label)]).toEqual([label, path in paths]);
});
