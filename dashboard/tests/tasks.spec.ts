// The main tasks, in both themes.

import { expect, open, test } from "./fixtures";

test("the link of the banner signs in once, and takes its secret out of the address", async ({ browser, gateway }) => {
  // The fixture used the code already, so the link is spent.
  const page = await browser.newPage();
  await page.goto(gateway.link);
  await expect(page.getByText("This link was used already")).toBeVisible();
  expect(page.url()).not.toContain("code");
  await page.getByLabel("Token").fill("tg_wrong");
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByRole("alert")).toBeVisible();
  await page.getByLabel("Token").fill(await gateway.signIn());
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByRole("heading", { name: "Overview" })).toBeVisible();
  await page.close();
});

test("a request is seen within 500 ms of its first byte", async ({ page, gateway }) => {
  await gateway.make("first");
  await open(page, "g/first/logs");
  await expect(page.getByText("Waiting for the first request")).toBeVisible();
  // The tail is asked every quarter of a second; the first answer only says where it stands.
  await page.waitForResponse((response) => response.url().includes("logs/tail?after="));
  const marker = page.getByRole("cell", { name: "sandbox-first" });
  await gateway.ask("first", { model: "sandbox-first", messages: [{ role: "user", content: "Hello" }] });
  await expect(marker).toBeVisible({ timeout: 500 });
});

test("filters live in the address and narrow the log", async ({ page, gateway }) => {
  await gateway.make("filters");
  const messages = [{ role: "user", content: "Hello" }];
  await gateway.ask("filters", { model: "sandbox-a", messages }, { "cf-aig-metadata": '{"team":"search"}' });
  await gateway.ask("filters", { model: "sandbox-b", messages }, { "cf-aig-metadata": '{"team":"billing"}' });
  await gateway.ask("filters", { model: "sandbox-b", messages }, { "tollgate-sandbox": "status=500" });
  await open(page, "g/filters/logs");
  await expect(page.getByText("3 requests")).toBeVisible();
  await page.getByLabel("Filter the log").fill("model:sandbox-b status:error");
  await expect(page.getByText("1 request", { exact: true })).toBeVisible();
  await expect(page).toHaveURL(/q=model.*status/);
  await page.reload();
  await expect(page.getByText("1 request", { exact: true })).toBeVisible();
  await page.getByRole("button", { name: "Remove the filter status:error" }).click();
  await expect(page.getByText("2 requests")).toBeVisible();
  await page.getByLabel("Filter the log").fill("meta.team:search");
  await expect(page.getByText("1 request", { exact: true })).toBeVisible();
  await expect(page.getByRole("cell", { name: "sandbox-a" })).toBeVisible();
  await page.getByLabel("Filter the log").fill("model:nothing-like-it");
  await expect(page.getByText("Nothing matches")).toBeVisible();
});

test("a request is opened, read, copied, rated and sent again", async ({ page, gateway, context }) => {
  await gateway.make("drawer");
  const messages = [{ role: "user", content: "What is a toll gate?" }];
  await gateway.ask(
    "drawer",
    { stream: true, stream_options: { include_usage: true }, messages },
    { "cf-aig-metadata": '{"team":"search"}' },
  );
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await open(page, "g/drawer/logs");
  await page.getByRole("cell", { name: "sandbox-1" }).click();
  const drawer = page.getByRole("complementary", { name: "Log detail" });
  await expect(drawer.getByText("What is a toll gate?", { exact: true })).toBeVisible();
  await expect(drawer.getByText(/You said: "What is a toll gate\?"/)).toBeVisible();
  await expect(drawer.getByRole("region", { name: "Timeline" })).toContainText("Gateway");
  await drawer.getByRole("tab", { name: "Frames" }).click();
  await expect(drawer.getByText(/\d+ events/)).toBeVisible();
  await drawer.getByRole("tab", { name: "Cost" }).click();
  await expect(drawer.getByText("As the provider counted.")).toBeVisible();
  await drawer.getByRole("tab", { name: "Raw" }).click();
  await expect(drawer.getByLabel("Request body", { exact: true })).toContainText('"stream": true');
  await drawer.getByRole("tab", { name: "Details" }).click();
  await expect(drawer.getByRole("link", { name: "search" })).toBeVisible();
  await drawer.getByRole("button", { name: "Good answer" }).click();
  await expect(drawer.getByRole("button", { name: "Good answer" })).toHaveAttribute("aria-pressed", "true");
  await drawer.getByRole("button", { name: "Copy as" }).click();
  await page.getByRole("menuitem", { name: "Python" }).click();
  await expect(page.getByText("Copied", { exact: true })).toBeVisible();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toContain(
    "/v1/local/drawer/sandbox/v1/chat/completions",
  );
  const before = page.url();
  await drawer.getByRole("button", { name: /Replay/ }).click();
  await expect(page.getByText("Sent again: status 200")).toBeVisible();
  await expect(page).not.toHaveURL(before);
  await expect(page.getByText("2 requests")).toBeVisible();
  await drawer.getByRole("button", { name: "Other model" }).click();
  await page.getByRole("textbox", { name: "Model" }).fill("sandbox/sandbox-other");
  await page.getByRole("button", { name: "Send" }).click();
  await expect(drawer.getByRole("heading", { name: "sandbox-other" })).toBeVisible();
});

test("the filtered log is exported, and deleted", async ({ page, gateway }) => {
  await gateway.make("exported");
  for (const model of ["sandbox-a", "sandbox-b", "sandbox-b"])
    await gateway.ask("exported", { model, messages: [{ role: "user", content: "Hello" }] });
  await open(page, "g/exported/logs?q=model:sandbox-b");
  await expect(page.getByText("2 requests")).toBeVisible();
  await page.getByRole("button", { name: "Export and more" }).click();
  const coming = page.waitForEvent("download");
  await page.getByRole("menuitem", { name: "JSON lines" }).click();
  const file = await (await coming).createReadStream();
  const parts: Buffer[] = [];
  for await (const part of file) parts.push(part as Buffer);
  const lines = Buffer.concat(parts).toString().trim().split("\n");
  expect(lines.map((line) => JSON.parse(line).model)).toEqual(["sandbox-b", "sandbox-b"]);
  await page.getByRole("button", { name: "Export and more" }).click();
  await page.getByRole("menuitem", { name: "Delete these requests…" }).click();
  await page.getByLabel(/Type .* to confirm/).fill("delete");
  await page.getByRole("button", { name: "Delete them" }).click();
  await expect(page.getByText("2 requests deleted")).toBeVisible();
  await expect(page.getByText("Nothing matches")).toBeVisible();
  expect((await gateway.api("GET", "/gateways/exported/logs")).body.result.length).toBe(1);
});

test("a status code is asked of the gateway itself", async ({ page, gateway }) => {
  await gateway.make("codes");
  const messages = [{ role: "user", content: "Hello" }];
  await gateway.ask("codes", { messages });
  await gateway.ask("codes", { messages }, { "tollgate-sandbox": "status=429" });
  await open(page, "g/codes/logs?q=status:%3E%3D400");
  await expect(page.getByText("1 request", { exact: true })).toBeVisible();
  await expect(page.getByRole("cell", { name: "429" })).toBeVisible();
});

test("a gateway is made, set and deleted", async ({ page, gateway }, info) => {
  const id = `made-${info.project.name}`;
  await open(page, "gateways");
  await page.getByRole("button", { name: "New gateway" }).click();
  await page.getByLabel("Name").fill("Not Allowed");
  await page.getByRole("button", { name: "Create" }).click();
  await expect(page.getByText(/lower-case letters, digits and underscores/)).toBeVisible();
  await page.getByLabel("Name").fill(id);
  await page.getByRole("button", { name: "Create" }).click();
  await expect(page.getByRole("heading", { name: "Overview" })).toBeVisible();
  await open(page, `g/${id}/settings`);
  await page.getByLabel(/Keep answers for/).fill("600");
  await page.getByRole("switch", { name: "Require a token" }).click();
  await page.getByRole("button", { name: "Rule", exact: true }).click();
  await page.getByLabel("Dollars").fill("25");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByText("Settings saved")).toBeVisible();
  const { body } = await gateway.api("GET", `/gateways/${id}`);
  expect([body.result.cache_ttl, body.result.authentication]).toEqual([600, false]);
  expect(body.result.spend_limits.rules[0]).toMatchObject({ limit: 25, window: 86_400 });
  await page.getByRole("button", { name: "Delete", exact: true }).click();
  await page.getByLabel(/Type .* to confirm/).fill(id);
  await page.getByRole("button", { name: "Delete the gateway" }).click();
  await expect(page.getByText(`Gateway ${id} is gone`)).toBeVisible();
  expect((await gateway.api("GET", `/gateways/${id}`)).status).toBe(404);
});

test("every setting of the API has its place on the page", async ({ page, gateway }) => {
  const { body } = await gateway.api("GET", "/gateways/default");
  const fixed = [
    "id",
    "is_default",
    "created_at",
    "modified_at",
    "internal_id",
    "account_id",
    "account_tag",
    "internal",
    "wholesale",
  ];
  const settable = Object.keys(body.result).filter((name) => !fixed.includes(name));
  await open(page, "g/default/settings");
  await expect(page.getByRole("heading", { name: "Settings" })).toBeVisible();
  await expect(page.locator("[data-member]").first()).toBeVisible();
  const shown = await page
    .locator("[data-member]")
    .evaluateAll((all) => all.map((each) => each.getAttribute("data-member")));
  expect(settable.filter((name) => !shown.includes(name))).toEqual([]);
});

test("a route is drawn, tried, deployed and rolled back", async ({ page, gateway }, info) => {
  await gateway.make("routes");
  const name = `support-${info.project.name}`;
  await open(page, "g/routes/routes");
  await page.getByRole("button", { name: "New route" }).first().click();
  await page.getByLabel("Name").fill(name);
  await page.getByRole("button", { name: "Create" }).click();
  await expect(page.getByRole("heading", { name })).toBeVisible();
  await page.getByRole("button", { name: /Model model1/ }).click();
  await page.getByLabel("Model", { exact: true }).fill("sandbox-large");
  await page.getByRole("button", { name: "Add", exact: true }).click();
  await page.getByRole("menuitem", { name: /Model/ }).click();
  await page.getByLabel("Provider").fill("nobody");
  await page.getByRole("button", { name: /Model model1/ }).click();
  await page.getByLabel("Where fallback leads").selectOption("model2");
  await expect(page.getByText(/unknown provider|no provider/i).first()).toBeVisible();
  await expect(page.getByRole("button", { name: "Deploy" })).toBeDisabled();
  await page.getByRole("button", { name: /Model model2/ }).click();
  await page.getByLabel("Provider").fill("sandbox");
  await page.getByLabel("Model", { exact: true }).fill("sandbox-small");
  await page.getByLabel("Where success leads").selectOption("end");
  await page.getByRole("tab", { name: "Try" }).click();
  await page.getByLabel("What becomes of model1").selectOption("timeout");
  await page.getByRole("button", { name: "Walk the route" }).click();
  await expect(page.getByText("sandbox/sandbox-small", { exact: true }).last()).toBeVisible();
  await page.getByRole("button", { name: "Deploy" }).click();
  await expect(page.getByText("Deployed: the next request takes it")).toBeVisible();
  const deployed = async () => (await gateway.api("GET", `/gateways/routes/routes/${name}`)).body.result.elements;
  expect((await deployed()).length).toBe(4);
  await page.getByRole("tab", { name: "Versions" }).click();
  await page.getByRole("button", { name: "Compare" }).last().click();
  await expect(page.locator(".diff-added").first()).toBeVisible();
  await page.getByRole("button", { name: "Close" }).click();
  await page.getByRole("button", { name: "Roll back to it" }).click();
  await expect(page.getByText("Deployed", { exact: true })).toBeVisible();
  expect((await deployed()).length).toBe(3);
});

test("two models answer side by side, with cost, and the same in code", async ({ page, gateway }) => {
  await gateway.make("playground");
  await open(page, "g/playground/playground?models=sandbox/sandbox-1:tps=40,sandbox/sandbox-2");
  await page.getByLabel("Message").fill("Why is the sky blue?");
  await page.getByRole("button", { name: "Send" }).click();
  const first = page.getByRole("region", { name: "Answer 1" });
  const second = page.getByRole("region", { name: "Answer 2" });
  await expect(second.getByText(/You said: "Why is the sky blue\?"/)).toBeVisible();
  await expect(first.getByText(/You said: "Why is the sky blue\?"/)).toBeVisible();
  await expect(first.getByText(/^\$0\.0/)).toBeVisible();
  await expect(second.getByText(/^\$0\.0/)).toBeVisible();
  await page.getByRole("button", { name: "View code" }).click();
  await page.getByRole("radio", { name: "OpenAI Python" }).click();
  await expect(page.getByLabel("the code", { exact: true })).toContainText("/v1/local/playground/compat");
});

test("the overview counts what the log has, and leads to it", async ({ page, gateway }) => {
  await gateway.make("counted");
  const messages = [{ role: "user", content: "Hello" }];
  for (let index = 0; index < 3; index++) await gateway.ask("counted", { messages });
  await gateway.ask("counted", { messages }, { "tollgate-sandbox": "status=500" });
  await open(page, "g/counted/overview");
  await expect(page.getByRole("link", { name: /^Requests/ })).toContainText("4");
  await page.getByRole("button", { name: "Numbers" }).first().click();
  await expect(page.getByRole("table", { name: "Requests over time" })).toBeVisible();
  await page.getByRole("link", { name: /^Errors/ }).click();
  await expect(page.getByText("1 request", { exact: true })).toBeVisible();
});
