// A gateway with something in it, and the pages there are: for the scans and the screenshots.

import { expect, type Page } from "@playwright/test";
import type { Gateway } from "./gateway";

export const STOCKED = "support-bot";

export interface PageCase {
  name: string;
  path: string;
  ready: (page: Page) => Promise<void>;
  /** What makes a better picture, and is not needed for a scan. */
  before?: (page: Page) => Promise<void>;
}

const heading = (name: string) => async (page: Page) => {
  await expect(page.getByRole("heading", { name, level: 1 })).toBeAttached();
  await page.waitForLoadState("networkidle").catch(() => undefined);
  await expect(page.locator(".skeleton")).toHaveCount(0);
};

const settled = async (page: Page) => {
  await expect(page.locator(".node").first()).toBeVisible();
  await expect(page.getByText("serves")).toBeVisible();
};

export const PAGES: PageCase[] = [
  { name: "overview", path: `g/${STOCKED}/overview?range=15m`, ready: heading("Overview") },
  { name: "logs", path: `g/${STOCKED}/logs?live=false`, ready: heading("Logs") },
  {
    name: "log",
    path: `g/${STOCKED}/logs?live=false&q=model:sandbox-large`,
    ready: async (page) => {
      await heading("Logs")(page);
      if ((await page.getByRole("complementary", { name: "Log detail" }).count()) === 0)
        await page.locator("tbody tr:not([aria-hidden]) a").first().click();
      await expect(page.getByRole("list").filter({ hasText: "You said" }).first()).toBeVisible();
    },
  },
  {
    name: "playground",
    path: `g/${STOCKED}/playground?prompt=Why%20is%20the%20sky%20blue%3F`,
    ready: heading("Playground"),
    before: async (page) => {
      await page.getByRole("button", { name: "Send" }).click();
      await expect(page.getByText("Open in the log")).toHaveCount(2);
    },
  },
  { name: "routes", path: `g/${STOCKED}/routes`, ready: heading("Routes") },
  { name: "route", path: `g/${STOCKED}/routes/support?node=budget`, ready: settled },
  {
    name: "route-try",
    path: `g/${STOCKED}/routes/support?tab=try`,
    ready: settled,
    before: async (page) => {
      await page.getByRole("button", { name: "Walk the route" }).click();
      await expect(page.getByText("Chosen")).toBeVisible();
    },
  },
  { name: "settings", path: `g/${STOCKED}/settings`, ready: heading("Settings") },
  { name: "gateways", path: "gateways", ready: heading("Gateways") },
  { name: "provider-keys", path: `g/${STOCKED}/keys`, ready: heading("Provider keys") },
  { name: "datasets", path: `g/${STOCKED}/datasets`, ready: heading("Datasets") },
  { name: "alerts", path: "alerts", ready: heading("Alerts") },
  { name: "custom-providers", path: "custom-providers", ready: heading("Custom providers") },
  { name: "empty", path: "g/default/logs?live=false", ready: heading("Logs") },
];

const QUESTIONS = [
  "Summarise the meeting notes in three bullet points.",
  "Translate to French: The invoice is due on Friday.",
  "Why is the sky blue? Explain it to a child.",
  "Classify this ticket: my card was charged twice.",
];
const TEAMS = ["search", "billing", "support", "growth"];

const pick = <T>(all: readonly T[], number: number): T => all[number % all.length] as T;

const to = (elementId: string) => ({ elementId });

const ELEMENTS = [
  { id: "start", type: "start", outputs: { next: to("plan") } },
  {
    id: "plan",
    type: "conditional",
    properties: { conditions: { "metadata.plan": { $in: ["free", "trial"] } } },
    outputs: { true: to("budget"), false: to("split") },
  },
  {
    id: "budget",
    type: "rate",
    properties: { limitType: "cost", limit: 5, window: 86_400, key: "metadata.user_id" },
    outputs: { success: to("small"), fallback: to("end") },
  },
  {
    id: "split",
    type: "percentage",
    properties: { sticky: "metadata.user_id" },
    outputs: { "20%": to("new"), else: to("large") },
  },
  {
    id: "small",
    type: "model",
    properties: { provider: "sandbox", model: "sandbox-fast" },
    outputs: { success: to("end") },
  },
  {
    id: "new",
    type: "model",
    properties: { provider: "anthropic", model: "claude-sonnet-5", timeout: 8_000, retries: 1 },
    outputs: { success: to("end"), fallback: to("large") },
  },
  {
    id: "large",
    type: "model",
    properties: { provider: "sandbox", model: "sandbox-large" },
    outputs: { success: to("end"), fallback: to("small") },
  },
  { id: "end", type: "end", outputs: {} },
];

let stocked: Promise<void> | undefined;

/** Once for a gateway; what follows from `number` is the same each time. */
export function stock(gateway: Gateway, requests = 24): Promise<void> {
  stocked ??= fill(gateway, requests);
  return stocked;
}

async function fill(gateway: Gateway, requests: number): Promise<void> {
  await gateway.make(STOCKED);
  await gateway.make("search");
  await gateway.api("POST", `/gateways/${STOCKED}/routes`, { name: "support", elements: ELEMENTS });
  await gateway.api("POST", `/gateways/${STOCKED}/datasets`, {
    name: "slow answers",
    enable: true,
    filters: [{ key: "duration", operator: "gt", value: [60] }],
  });
  await gateway.api("POST", `/gateways/${STOCKED}/provider_configs`, {
    provider_slug: "openai",
    alias: "default",
    secret: "sk-fake-0123456789abcdef",
    default_config: true,
  });
  await gateway.api("POST", "/custom-providers", {
    name: "Our vLLM",
    slug: "our-vllm",
    base_url: "https://models.example.com/v1",
    enable: true,
  });
  for (let number = 0; number < requests; number++) {
    const dials = [
      `latency=${8 + ((number * 37) % 70)}`,
      `tokens=${20 + ((number * 53) % 160)}`,
      `input=${60 + ((number * 331) % 2_400)}`,
    ];
    if (number % 11 === 7) dials.push(`status=${pick([429, 500, 503], number)}`);
    const headers: Record<string, string> = {
      "tollgate-sandbox": dials.join(","),
      "cf-aig-metadata": JSON.stringify({ team: pick(TEAMS, number), user: `u${(number * 7) % 19}` }),
    };
    if (number % 5 === 2) headers["cf-aig-cache-key"] = `key-${number % 3}`;
    if (number % 4 === 1) headers["cf-aig-max-attempts"] = "3";
    await gateway.ask(
      STOCKED,
      {
        model: pick(["sandbox-1", "sandbox-fast", "sandbox-large"], number),
        stream: number % 3 === 0,
        messages: [
          { role: "system", content: "You are terse." },
          { role: "user", content: pick(QUESTIONS, number) },
        ],
      },
      headers,
    );
  }
}
