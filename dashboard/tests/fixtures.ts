// What every test has: a gateway, and a signed-in page that is watched for what it must never do.

import { test as base, expect, type Page } from "@playwright/test";
import { Gateway } from "./gateway";

export interface Watched {
  /** Requests to anywhere but the gateway. */
  strangers: string[];
  /** Errors, and what the content security policy stopped. */
  complaints: string[];
  /** Scripts of payloads that ran. */
  executions: string[];
}

interface Fixtures {
  /** A page that signed in; `watched` is looked at when the test ends. */
  page: Page;
  watched: Watched;
}

export const test = base.extend<Fixtures, { gateway: Gateway }>({
  gateway: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the names from the pattern
    async ({}, use) => {
      const gateway = await Gateway.start();
      await gateway.signIn();
      await use(gateway);
      await gateway.stop();
    },
    { scope: "worker" },
  ],
  // biome-ignore lint/correctness/noEmptyPattern: as above
  watched: async ({}, use) => {
    const watched: Watched = { strangers: [], complaints: [], executions: [] };
    await use(watched);
    expect(watched.strangers, "requests to other origins").toEqual([]);
    expect(watched.complaints, "errors and violations of the policy").toEqual([]);
    expect(watched.executions, "scripts out of payloads").toEqual([]);
  },
  baseURL: async ({ gateway }, use) => use(`${gateway.url}/dashboard/`),
  page: async ({ page, gateway, watched }, use) => {
    await watch(page, gateway.url, watched);
    await page.goto(`${gateway.url}/dashboard/#token=${await gateway.signIn()}`);
    await expect(page.getByRole("navigation", { name: "Main" })).toBeAttached();
    await use(page);
  },
});

/** A refusal that a test asks for is told by the browser as an error of the console; that is no complaint. */
const EXPECTED = /Failed to load resource: the server responded with a status of 4\d\d/;

async function watch(page: Page, origin: string, watched: Watched): Promise<void> {
  await page.exposeFunction("xss", (payload: string) => watched.executions.push(payload));
  page.on("dialog", async (dialog) => {
    watched.executions.push(dialog.message());
    await dialog.dismiss();
  });
  page.on("request", (request) => {
    const url = new URL(request.url());
    if (url.protocol !== "data:" && url.protocol !== "blob:" && url.origin !== origin)
      watched.strangers.push(request.url());
  });
  page.on("pageerror", (error) => watched.complaints.push(error.message));
  page.on("console", (message) => {
    if (message.type() === "error" && !EXPECTED.test(message.text())) watched.complaints.push(message.text());
  });
}

export { expect };

export const open = (page: Page, path: string) => page.goto(path.replace(/^\//, ""));
