// What strangers write into prompts, answers, names and metadata is text, whatever it looks like.

import { expect, open, test } from "./fixtures";

const SHAPES = [
  "<script>xss(N)</script>",
  "<img src=x onerror=xss(N)>",
  "<svg onload=xss(N)>",
  "<svg><script>xss(N)</script></svg>",
  '"><script>xss(N)</script>',
  "'><img src=x onerror=xss(N)>",
  "</pre><script>xss(N)</script>",
  "</textarea><script>xss(N)</script>",
  "</title><script>xss(N)</script>",
  "<iframe srcdoc='<script>parent.xss(N)</script>'></iframe>",
  "<iframe src=javascript:parent.xss(N)>",
  "javascript:xss(N)",
  "[link](javascript:xss(N))",
  '![image](x"onerror="xss(N))',
  "<a href=javascript:xss(N)>click</a>",
  "<body onload=xss(N)>",
  "<details open ontoggle=xss(N)>",
  "<input autofocus onfocus=xss(N)>",
  "<video><source onerror=xss(N)></video>",
  "<math><mtext></mtext><script>xss(N)</script></math>",
  "<style>@import 'http://evil.example/x.css';</style>",
  "<link rel=stylesheet href=http://evil.example/x.css>",
  "<img src=http://evil.example/x.png>",
  "<object data=javascript:xss(N)>",
  "{{constructor.constructor('xss(N)')()}}",
  "${xss(N)}",
  "<template><script>xss(N)</script></template>",
  "<base href=http://evil.example/>",
  "<meta http-equiv=refresh content='0;url=javascript:xss(N)'>",
  "\u202e<script>xss(N)</script>\u0000",
];
const PLACES = ["prompt", "answer", "model", "key", "value", "system", "tool", "error", "agent", "stream"] as const;

const payload = (shape: string, number: number) => shape.replaceAll("N", String(number));

test(`${SHAPES.length * PLACES.length} payloads run no script`, async ({ page, gateway }) => {
  test.setTimeout(240_000);
  await gateway.make("payloads");
  let number = 0;
  for (const shape of SHAPES) {
    for (const place of PLACES) await send(place, payload(shape, ++number));
  }
  async function send(place: (typeof PLACES)[number], said: string) {
    // The sandbox repeats the last message, so what is asked is what is answered.
    const content = place === "prompt" || place === "answer" || place === "stream" ? said : "Hello";
    const messages: unknown[] = [{ role: "user", content }];
    if (place === "system") messages.unshift({ role: "system", content: said });
    if (place === "tool")
      messages.push(
        { role: "assistant", tool_calls: [{ id: "1", type: "function", function: { name: said, arguments: said } }] },
        { role: "tool", tool_call_id: "1", content: said },
      );
    const headers: Record<string, string> = {};
    if (place === "key") headers["cf-aig-metadata"] = encode({ [said]: "x" });
    if (place === "value") headers["cf-aig-metadata"] = encode({ team: said });
    if (place === "agent") headers["user-agent"] = said.replace(/[^\x20-\x7e]/g, "");
    const model = place === "model" ? said : place === "error" ? `sandbox-1:${said}` : "sandbox-1";
    await gateway.ask("payloads", { model, stream: place === "stream", messages }, headers);
  }
  await open(page, "g/payloads/logs?live=false&columns=time,status,model,metadata,agent,path,id");
  await expect(page.getByText(`${SHAPES.length * PLACES.length} requests`)).toBeVisible();
  const { body } = await gateway.api("GET", "/gateways/payloads/logs?per_page=50");
  const ids: string[] = body.result.map(({ id }: { id: string }) => id);
  for (let at = 2; at <= 6; at++) {
    const more = await gateway.api("GET", `/gateways/payloads/logs?per_page=50&page=${at}`);
    ids.push(...more.body.result.map(({ id }: { id: string }) => id));
  }
  expect(new Set(ids).size).toBe(SHAPES.length * PLACES.length);
  // All of them in the list, each of them in the drawer.
  await page.keyboard.press("j");
  const drawer = page.getByRole("complementary", { name: "Log detail" });
  for (let walked = 0; walked < ids.length; walked++) {
    await expect(drawer.getByRole("tablist")).toBeVisible();
    if (walked % 5 === 0) {
      for (const tab of ["Raw", "Details", "Conversation"]) await drawer.getByRole("tab", { name: tab }).click();
    }
    await page.keyboard.press("j");
  }
  await open(page, "g/payloads/overview?range=15m");
  await expect(page.getByRole("link", { name: /^Requests/ })).toContainText("300");
  await open(page, "g/payloads/playground");
  await expect(page.getByRole("heading", { name: "Playground", level: 1 })).toBeVisible();
  expect(await page.locator("script:not([src])").count()).toBe(0);
});

/** A header is ASCII; JSON can say everything in it. */
const encode = (value: unknown): string =>
  JSON.stringify(value).replace(
    /[^\x20-\x7e]/g,
    (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
