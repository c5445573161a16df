// A gateway of its own for the tests: the real binary, a fresh data folder, a free port.

import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";

const BINARY = resolve(process.env.TOLLGATE_BINARY ?? "../target/release/tollgate");
const PATIENCE_MS = 30_000;

export interface Said {
  status: number;
  // biome-ignore lint/suspicious/noExplicitAny: answers of many shapes, looked at by tests
  body: any;
  headers: Headers;
}

export class Gateway {
  private constructor(
    private readonly process: ChildProcess,
    private readonly folder: string,
    /** `http://127.0.0.1:port` */
    readonly url: string,
    /** The link of the banner: good once. */
    readonly link: string,
    private token = "",
  ) {}

  /** `settings`: environment variables besides those of the test. */
  static async start(settings: Record<string, string> = {}): Promise<Gateway> {
    const folder = mkdtempSync(join(tmpdir(), "tollgate-dashboard-"));
    const child = spawn(BINARY, ["serve", "--listen", "127.0.0.1:0", "--data-dir", join(folder, "data"), "--json"], {
      stdio: ["ignore", "pipe", "inherit"],
      env: { ...process.env, ...settings },
    });
    const banner = await firstLine(child);
    return new Gateway(child, folder, banner.listening, banner.dashboard);
  }

  /** A token for calls of the test itself; the browser signs in by links. */
  async signIn(): Promise<string> {
    if (!this.token) {
      const code = new URL(this.link).hash.replace("#code=", "");
      const response = await fetch(`${this.url}/dashboard/session`, { method: "POST", body: code });
      this.token = (await response.json()).token;
    }
    return this.token;
  }

  async api(method: string, path: string, body?: unknown): Promise<Said> {
    const headers = { authorization: `Bearer ${await this.signIn()}`, "content-type": "application/json" };
    const init: RequestInit = { method, headers };
    if (body !== undefined) init.body = JSON.stringify(body);
    const response = await fetch(`${this.url}/client/v4/accounts/local/ai-gateway${path}`, init);
    return { status: response.status, body: await response.json(), headers: response.headers };
  }

  /** A request of a caller to the sandbox. */
  async ask(gateway: string, body: Record<string, unknown>, headers: Record<string, string> = {}): Promise<Said> {
    const response = await fetch(`${this.url}/v1/local/${gateway}/sandbox/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify({ model: "sandbox-1", ...body }),
    });
    const text = await response.text();
    return { status: response.status, body: text, headers: response.headers };
  }

  async make(gateway: string): Promise<void> {
    const settings = {
      cache_ttl: 0,
      cache_invalidate_on_update: true,
      collect_logs: true,
      rate_limiting_interval: 0,
      rate_limiting_limit: 0,
    };
    await this.api("POST", "/gateways", { id: gateway, ...settings });
  }

  async stop(): Promise<void> {
    const ended = new Promise((done) => this.process.once("exit", done));
    this.process.kill("SIGTERM");
    await ended;
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** The banner; whatever follows it is read and forgotten, so that the pipe never fills. */
function firstLine(process: ChildProcess): Promise<{ listening: string; dashboard: string }> {
  return new Promise((done, fail) => {
    const late = setTimeout(() => fail(new Error(`${BINARY} said nothing; run make build first`)), PATIENCE_MS);
    process.once("error", fail);
    if (!process.stdout) return fail(new Error("no pipe"));
    createInterface(process.stdout).once("line", (line) => {
      clearTimeout(late);
      done(JSON.parse(line));
    });
    process.stdout.resume();
  });
}
