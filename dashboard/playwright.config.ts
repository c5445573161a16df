import { defineConfig } from "@playwright/test";

// The browser of the system: tests/tools installs it. Playwright's own would be a download from elsewhere.
const launchOptions = { executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] };

export default defineConfig({
  testDir: "tests",
  workers: 1,
  retries: 0,
  timeout: 45_000,
  expect: { timeout: 10_000 },
  forbidOnly: true,
  outputDir: "test-results",
  reporter: [["list"], ["./tests/count.ts"]],
  use: { launchOptions, trace: "retain-on-failure", viewport: { width: 1366, height: 860 } },
  projects: [
    { name: "light", use: { colorScheme: "light" } },
    // The payloads meet the same code in both themes; once is enough for the slowest test.
    { name: "dark", use: { colorScheme: "dark" }, testIgnore: "payloads.spec.ts" },
  ],
});
