// People sign in at an issuer, see who they are, and leave.

import { expect, test } from "@playwright/test";
import { Gateway } from "./gateway";
import { Issuer } from "./issuer";

const settings = (issuer: Issuer) => ({
  TOLLGATE_OIDC_ISSUER: issuer.url,
  TOLLGATE_OIDC_NAME: "Example ID",
  TOLLGATE_OIDC_CLIENT_ID: "tollgate",
  TOLLGATE_OIDC_ROLES: '{ staff = "payload_viewer" }',
  TOLLGATE_EGRESS_ALLOW_PRIVATE: '["loopback"]',
});

test("somebody signs in at the issuer, is known, and signs out there too", async ({ page, context }) => {
  const issuer = await Issuer.start({ sub: "u-1", name: "Ann Example", email: "ann@example.com", email_verified: true, groups: ["staff"] });
  const gateway = await Gateway.start(settings(issuer));
  await gateway.make("support");
  await page.goto(`${gateway.url}/dashboard/g/support/logs`);
  await page.getByRole("link", { name: "Sign in with Example ID" }).click();
  // Back on the page that was asked for.
  await expect(page).toHaveURL(/\/g\/support\/logs/);
  await expect(page.getByText("Waiting for the first request")).toBeVisible();
  const cookies = await context.cookies();
  expect(cookies.find((cookie) => cookie.name === "tollgate_session")).toMatchObject({ httpOnly: true, sameSite: "Lax" });
  expect(await page.evaluate(() => [document.cookie, sessionStorage.getItem("tollgate.token")])).toEqual(["", null]);
  // It is the cookie that signs in: the next start of the page needs nothing else.
  await page.reload();
  await page.getByRole("button", { name: "Theme and session" }).click();
  await expect(page.getByText("Ann Example · payload viewer")).toBeVisible();
  await expect(page.getByText("ann@example.com")).toBeVisible();
  await page.getByRole("menuitem", { name: "Sign out" }).click();
  await expect(page.getByRole("link", { name: "Sign in with Example ID" })).toBeVisible();
  expect(issuer.signedOut.map((hint) => hint.slice(0, 3))).toEqual(["eyJ"]);
  await page.reload();
  await expect(page.getByRole("link", { name: "Sign in with Example ID" })).toBeVisible();
  await gateway.stop();
  issuer.stop();
});

test("who has no role is told so, and may use a token", async ({ page }) => {
  const issuer = await Issuer.start({ sub: "u-2", name: "Bob", groups: ["visitors"] });
  const gateway = await Gateway.start(settings(issuer));
  await page.goto(`${gateway.url}/dashboard/`);
  await page.getByRole("link", { name: "Sign in with Example ID" }).click();
  await expect(page.getByText("have no role here")).toBeVisible();
  expect(page.url()).not.toContain("refused");
  await page.getByLabel("Token").fill(await gateway.signIn());
  await page.getByRole("button", { name: "Sign in with a token" }).click();
  await expect(page.getByRole("heading", { name: "Overview" })).toBeVisible();
  await gateway.stop();
  issuer.stop();
});
