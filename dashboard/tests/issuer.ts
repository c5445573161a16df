// An OpenID Connect issuer that lets one person in without asking: real HTTP, a real key.

import { generateKeyPairSync, sign } from "node:crypto";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");

export class Issuer {
  readonly signedOut: string[] = [];

  private constructor(
    private readonly server: Server,
    readonly url: string,
  ) {}

  static async start(claims: Record<string, unknown>): Promise<Issuer> {
    const nonces = new Map<string, string>();
    const server = createServer((request, response) => {
      const asked = new URL(request.url ?? "/", url);
      const json = (value: unknown) =>
        response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(value));
      const lead = (to: string) => response.writeHead(302, { location: to }).end();
      if (asked.pathname.endsWith("openid-configuration")) {
        const at = (name: string) => `${url}/${name}`;
        json({
          issuer: url,
          authorization_endpoint: at("authorize"),
          token_endpoint: at("token"),
          jwks_uri: at("jwks"),
          end_session_endpoint: at("logout"),
        });
      } else if (asked.pathname === "/authorize") {
        const code = `code-${nonces.size}`;
        nonces.set(code, asked.searchParams.get("nonce") ?? "");
        lead(`${asked.searchParams.get("redirect_uri")}?code=${code}&state=${asked.searchParams.get("state")}`);
      } else if (asked.pathname === "/token") {
        let form = "";
        request.on("data", (piece) => {
          form += piece;
        });
        request.on("end", () => {
          const nonce = nonces.get(new URLSearchParams(form).get("code") ?? "");
          const now = Math.floor(Date.now() / 1000);
          const all = { iss: url, aud: "tollgate", iat: now, exp: now + 60, nonce, ...claims };
          const message = `${part({ alg: "ES256", kid: "k" })}.${part(all)}`;
          const key = { key: privateKey, dsaEncoding: "ieee-p1363" as const };
          const signature = sign("sha256", Buffer.from(message), key).toString("base64url");
          json({ access_token: "a-fake", token_type: "Bearer", id_token: `${message}.${signature}` });
        });
      } else if (asked.pathname === "/jwks") {
        json({ keys: [{ ...publicKey.export({ format: "jwk" }), kid: "k", alg: "ES256", use: "sig" }] });
      } else if (asked.pathname === "/logout") {
        issuer.signedOut.push(asked.searchParams.get("id_token_hint") ?? "");
        lead(asked.searchParams.get("post_logout_redirect_uri") ?? "/");
      } else {
        response.writeHead(404).end();
      }
    });
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const issuer = new Issuer(server, url);
    return issuer;
  }

  stop(): void {
    this.server.close();
    this.server.closeAllConnections();
  }
}
