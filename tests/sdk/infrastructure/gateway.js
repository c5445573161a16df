// Where the gateway is, said in the way that Cloudflare's tools read it.

const { TOLLGATE_URL, TOLLGATE_TOKEN } = process.env;
const base = `${TOLLGATE_URL.replace(/\/+$/, '')}/client/v4`;
const headers = { authorization: `Bearer ${TOLLGATE_TOKEN}` };
// Tools show and send the account's id; ours is told by the API.
const accounts = await (await fetch(`${base}/accounts`, { headers })).json();

export const ACCOUNT = accounts.result[0].id;
export const API = `${base}/accounts/${ACCOUNT}`;
export const HEADERS = headers;

export const environment = () => ({
  ...process.env,
  CLOUDFLARE_API_BASE_URL: base,
  CLOUDFLARE_BASE_URL: base,
  CLOUDFLARE_API_TOKEN: TOLLGATE_TOKEN,
  CLOUDFLARE_ACCOUNT_ID: ACCOUNT,
  CLOUDFLARE_LOAD_DEV_VARS_FROM_DOT_ENV: 'false',
  WRANGLER_SEND_METRICS: 'false',
  ALCHEMY_TELEMETRY_DISABLED: '1',
  DO_NOT_TRACK: '1',
  CI: '1',
  ALCHEMY_CI_STATE_STORE_CHECK: 'false',
});
