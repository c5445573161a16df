// The official control-plane clients: npm cloudflare newest and 4.2.0, and the cf command line.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';

import Cloudflare from 'cloudflare';
import Cloudflare4 from 'cloudflare-4';

import { ACCOUNT, DIRECT, TOKEN, URL_OF_GATEWAY, collect, unique } from './gateway.js';
import { throughProxy } from './proxy.js';
import { everyMethod, watch } from './watch.js';

const options = { baseURL: `${URL_OF_GATEWAY}/client/v4`, apiToken: TOKEN, maxRetries: 0 };
const account = { account_id: ACCOUNT };
const settings = {
  ...account,
  cache_invalidate_on_update: true,
  cache_ttl: 0,
  collect_logs: true,
  rate_limiting_interval: 0,
  rate_limiting_limit: 0,
  rate_limiting_technique: 'fixed',
};
const only = (key, operator, ...value) => ({ key, operator, value });

/** What some test has called, by the client's major version. */
const called = { newest: new Set(), four: new Set() };

/** A gateway of its own for one test, gone afterwards. */
function onGateway(name, body) {
  test(name, { skip: DIRECT && 'TOLLGATE_DIRECT=1: there is no gateway' }, async () => {
    const client = watch(new Cloudflare(options), called.newest);
    const id = `js-${unique().slice(0, 12)}`;
    await client.aiGateway.create({ ...settings, id });
    try {
      await body(client.aiGateway, id, { ...account, gateway_id: id });
    } finally {
      await client.aiGateway.delete(id, account).catch(() => {});
    }
  });
}

/** One request through the gateway; its log id. */
async function chat(gateway, model = 'sandbox-1') {
  const answer = await fetch(`${URL_OF_GATEWAY}/v1/${ACCOUNT}/${gateway}/sandbox/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json', 'cf-aig-metadata': '{"team":"a b"}' },
    body: JSON.stringify({ model, messages: [{ role: 'user', content: 'Hello' }] }),
  });
  await answer.text();
  return answer.headers.get('cf-aig-log-id');
}

onGateway('gateways, their urls and the iterator', async (aig, id) => {
  const changed = await aig.update(id, { ...settings, cache_ttl: 60 });
  assert.equal(changed.cache_ttl, 60);
  assert.equal((await aig.get(id, account)).id, id);
  assert.match(await aig.urls.get('openai', { ...account, gateway_id: id }), new RegExp(`/v1/${ACCOUNT}/${id}/openai$`));
  const all = await collect(aig.list({ ...account, per_page: 1 }));
  assert.equal(all.filter((each) => each.id === id).length, 1);
  assert.deepEqual((await aig.list({ ...account, page: 99 })).result, []);
});

onGateway('errors have their classes', async (aig, id) => {
  await assert.rejects(aig.create({ ...settings, id }), (error) => error instanceof Cloudflare.BadRequestError && error.errors[0].code === 7001);
  await assert.rejects(aig.get('never-made', account), (error) => error instanceof Cloudflare.NotFoundError && error.errors[0].code === 7002);
  const stranger = new Cloudflare({ ...options, apiToken: 'not-a-token' });
  await assert.rejects(stranger.aiGateway.get(id, account), Cloudflare.AuthenticationError);
});

onGateway('logs: filters, bodies, patch, delete', async (aig, id, path) => {
  const ids = [await chat(id), await chat(id, 'sandbox-2'), await chat(id, 'sandbox-1:status=500')];
  const listed = async (query) => (await collect(aig.logs.list(id, { ...account, ...query }))).map((row) => row.id);
  assert.deepEqual(await listed({ per_page: 2 }), ids.toReversed());
  assert.deepEqual(await listed({ filters: [only('model', 'eq', 'sandbox-2', 'sandbox-3'), only('success', 'eq', true)] }), [ids[1]]);
  assert.deepEqual(await listed({ filters: [only('metadata.key', 'eq', 'team'), only('metadata.value', 'eq', 'a b')] }), ids.toReversed());
  assert.equal((await aig.logs.get(ids[0], path)).model, 'sandbox-1');
  assert.equal((await aig.logs.request(ids[0], path)).messages[0].content, 'Hello');
  assert.ok((await aig.logs.response(ids[0], path)).choices.length);
  await aig.logs.edit(ids[0], { ...path, feedback: -1, score: 3 });
  assert.equal((await aig.logs.get(ids[0], path)).feedback, -1);
  assert.equal((await aig.logs.delete(id, { ...account, filters: [only('id', 'eq', ids[0])] })).success, true);
  assert.deepEqual(await listed({}), [ids[2], ids[1]]);
});

onGateway('dynamic routes', async (aig, id, path) => {
  const elements = [
    { id: 's', type: 'start', outputs: { next: { elementId: 'm' } } },
    { id: 'm', type: 'model', properties: { provider: 'sandbox', model: 'sandbox-1', timeout: 1000, retries: 0 }, outputs: { success: { elementId: 'e' }, fallback: { elementId: 'e' } } },
    { id: 'e', type: 'end', outputs: {} },
  ];
  const routing = aig.dynamicRouting;
  const made = await routing.create(id, { ...account, name: 'js', elements });
  const version = await routing.createVersion(made.id, { ...path, elements });
  assert.equal(version.id, made.id);
  const versions = (await routing.listVersions(made.id, path)).data.versions;
  assert.equal(versions.length, 2);
  assert.equal((await routing.getVersion(versions[0].version_id, { ...path, id: made.id })).version_id, versions[0].version_id);
  await routing.createDeployment(made.id, { ...path, version_id: versions[0].version_id });
  assert.equal((await routing.listDeployments(made.id, path)).data.deployments.length, 2);
  assert.equal((await routing.update(made.id, { ...path, name: 'renamed' })).route.name, 'renamed');
  assert.equal((await routing.get(made.id, path)).name, 'renamed');
  assert.deepEqual((await routing.list(id, account)).data.routes.map((route) => route.name), ['renamed']);
  assert.equal((await routing.delete(made.id, path)).id, made.id);
});

onGateway('datasets and evaluations', async (aig, id, path) => {
  const filters = [only('provider', 'eq', 'sandbox')];
  const dataset = await aig.datasets.create(id, { ...account, name: 'js', enable: true, filters });
  assert.equal((await aig.datasets.update(dataset.id, { ...path, name: 'js2', enable: true, filters })).name, 'js2');
  assert.equal((await aig.datasets.get(dataset.id, path)).name, 'js2');
  assert.deepEqual((await collect(aig.datasets.list(id, account))).map((each) => each.id), [dataset.id]);
  const types = await collect(aig.evaluationTypes.list(account));
  const evaluation = await aig.evaluations.create(id, { ...account, name: 'js', dataset_ids: [dataset.id], evaluation_type_ids: [types[0].id] });
  assert.equal((await aig.evaluations.get(evaluation.id, path)).name, 'js');
  assert.equal((await collect(aig.evaluations.list(id, account))).length, 1);
  assert.equal((await aig.evaluations.delete(evaluation.id, path)).id, evaluation.id);
  assert.equal((await aig.datasets.delete(dataset.id, path)).id, dataset.id);
});

onGateway('keys and custom providers', async (aig, id) => {
  const slug = `js-${unique().slice(0, 8)}`;
  const made = await aig.customProviders.create({ ...account, name: 'Mine', slug, base_url: 'https://models.example.com' });
  assert.equal((await aig.customProviders.get(made.id, account)).slug, slug);
  assert.ok((await collect(aig.customProviders.list(account))).some((each) => each.id === made.id));
  assert.equal((await aig.customProviders.delete(made.id, account)).id, made.id);
  const secret = 'sk-fake-key-of-nobody-0123456789';
  const key = await aig.providerConfigs.create(id, { ...account, alias: 'default', default_config: true, provider_slug: 'openai', secret });
  assert.ok(!JSON.stringify(key).includes(secret));
  assert.deepEqual((await collect(aig.providerConfigs.list(id, account))).map((each) => each.id), [key.id]);
});

onGateway('billing', async (aig) => {
  assert.equal((await aig.billing.creditBalance(account)).balance, 0);
  assert.deepEqual((await aig.billing.usageHistory({ ...account, value_grouping_window: 'hour' })).history, []);
  assert.deepEqual((await aig.billing.invoiceHistory(account)).invoices, []);
  assert.equal((await aig.billing.invoicePreview(account)).status, 'draft');
  await assert.rejects(aig.billing.topup.create({ ...account, amount: 1000 }), Cloudflare.PermissionDeniedError);
  await assert.rejects(aig.billing.topup.status({ ...account, payment_intent_id: 'in_none' }), Cloudflare.NotFoundError);
  assert.equal((await aig.billing.topup.config.get(account)).amount, null);
  await assert.rejects(aig.billing.topup.config.create({ ...account, amount: 1000, threshold: 500 }), Cloudflare.PermissionDeniedError);
  await assert.rejects(aig.billing.topup.config.delete(account), Cloudflare.PermissionDeniedError);
  assert.equal((await aig.billing.spendingLimit.get(account)).enabled, false);
  await assert.rejects(aig.billing.spendingLimit.create({ ...account, amount: 100, duration: 'daily', strategy: 'fixed' }), Cloudflare.PermissionDeniedError);
  await aig.billing.spendingLimit.delete(account);
});

onGateway('version 4.2.0, with its own filters', async (_, id, path) => {
  const client = watch(new Cloudflare4(options), called.four);
  const log = await chat(id);
  const listed = async (query) => (await collect(client.aiGateway.logs.list(id, { ...account, ...query }))).map((row) => row.id);
  assert.deepEqual(await listed({ order_by: 'duration', order_by_direction: 'desc' }), [log]);
  assert.deepEqual(await listed({ feedback: -1 }), []);
  assert.equal((await client.aiGateway.logs.get(id, log, account)).id, log);
  assert.equal((await client.aiGateway.logs.request(id, log, account)).messages[0].content, 'Hello');
  assert.ok((await client.aiGateway.logs.response(id, log, account)).choices);
  await client.aiGateway.logs.edit(id, log, { ...account, feedback: 1 });
  assert.deepEqual(await listed({ feedback: 1 }), [log]);
  assert.equal((await client.aiGateway.get(id, account)).id, id);
  assert.ok((await collect(client.aiGateway.list({ ...account, per_page: 5 }))).some((each) => each.id === id));
  assert.match(await client.aiGateway.urls.get(id, 'universal', account), new RegExp(`/${id}/$`));
  assert.equal((await client.aiGateway.logs.delete(id, { ...account, filters: [only('id', 'eq', log)] })).success, true);
});

onGateway('version 4.2.0, gateways, datasets and evaluations', async (_, id) => {
  const { aiGateway: aig } = watch(new Cloudflare4(options), called.four);
  const other = `js-${unique().slice(0, 12)}`;
  assert.equal((await aig.create({ ...settings, id: other })).id, other);
  assert.equal((await aig.update(other, { ...settings, cache_ttl: 60 })).cache_ttl, 60);
  assert.deepEqual((await aig.list({ ...account, page: 99 })).result, []);
  assert.equal((await aig.delete(other, account)).id, other);
  await assert.rejects(aig.get(other, account), (error) => error instanceof Cloudflare4.NotFoundError);
  const filters = [only('provider', 'eq', 'sandbox')];
  const dataset = await aig.datasets.create(id, { ...account, name: 'js', enable: true, filters });
  assert.equal((await aig.datasets.update(id, dataset.id, { ...account, name: 'js2', enable: true, filters })).name, 'js2');
  assert.equal((await aig.datasets.get(id, dataset.id, account)).name, 'js2');
  assert.deepEqual((await collect(aig.datasets.list(id, { ...account, per_page: 1 }))).map((each) => each.id), [dataset.id]);
  const types = await collect(aig.evaluationTypes.list({ ...account, per_page: 1 }));
  assert.ok(types.length > 1, 'iterated to the empty page');
  const evaluation = await aig.evaluations.create(id, { ...account, name: 'js', dataset_ids: [dataset.id], evaluation_type_ids: [types[0].id] });
  assert.equal((await aig.evaluations.get(id, evaluation.id, account)).name, 'js');
  assert.equal((await collect(aig.evaluations.list(id, account))).length, 1);
  assert.equal((await aig.evaluations.delete(id, evaluation.id, account)).id, evaluation.id);
  assert.equal((await aig.datasets.delete(id, dataset.id, account)).id, dataset.id);
});

for (const [name, Client] of Object.entries({ '7.3.0': Cloudflare, '4.2.0': Cloudflare4 })) {
  const at = (url, maxRetries) => new Client({ ...options, baseURL: `${url}/client/v4`, maxRetries }).aiGateway;

  onGateway(`version ${name}: a status is its class`, async (_, id) => {
    const { BadRequestError, AuthenticationError, PermissionDeniedError, NotFoundError, ConflictError } = Client;
    const { UnprocessableEntityError, RateLimitError, InternalServerError } = Client;
    const classes = [
      [400, BadRequestError],
      [401, AuthenticationError],
      [403, PermissionDeniedError],
      [404, NotFoundError],
      [409, ConflictError],
      [422, UnprocessableEntityError],
      [429, RateLimitError],
      [500, InternalServerError],
      [503, InternalServerError],
    ];
    for (const [status, expected] of classes) {
      await throughProxy(URL_OF_GATEWAY, [[status, {}]], async (url, asked) => {
        await assert.rejects(at(url, 0).get(id, account), (error) => error instanceof expected && error.status === status);
        assert.equal(asked.length, 1);
      });
    }
  });

  onGateway(`version ${name}: what passes is sent again`, async (_, id) => {
    const busy = [
      [429, { 'retry-after': '0.05' }],
      [503, { 'retry-after-ms': '20' }],
    ];
    await throughProxy(URL_OF_GATEWAY, busy, async (url, asked) => {
      assert.equal((await at(url, 2).get(id, account)).id, id);
      assert.equal(asked.length, 3);
    });
    const other = `js-${unique().slice(0, 12)}`;
    await throughProxy(URL_OF_GATEWAY, busy.slice(1), async (url) => {
      assert.equal((await at(url, 2).create({ ...settings, id: other })).id, other);
      assert.equal((await at(url, 2).delete(other, account)).id, other);
    });
    await throughProxy(URL_OF_GATEWAY, busy.slice(0, 1), async (url) => {
      assert.ok((await collect(at(url, 2).list({ ...account, per_page: 1 }))).some((each) => each.id === id));
    });
  });
}

onGateway('the cf command line', async (_, id) => {
  const environment = { ...process.env, CF_HIDE_COMMANDS: '0', CLOUDFLARE_BASE_URL: options.baseURL, CLOUDFLARE_API_TOKEN: TOKEN, CLOUDFLARE_ACCOUNT_ID: ACCOUNT };
  const cf = async (...words) => {
    const { stdout } = await promisify(execFile)('node_modules/.bin/cf', ['ai-gateway', ...words], { env: environment });
    return stdout;
  };
  const log = await chat(id, 'sandbox-1:status=500');
  assert.match(await cf('list'), new RegExp(id));
  assert.match(await cf('get', id), new RegExp(id));
  // It always asks for failed requests that were not cached.
  assert.match(await cf('logs', 'list', id), new RegExp(log));
});

test('every method of both clients was called', { skip: DIRECT && 'TOLLGATE_DIRECT=1: there is no gateway' }, () => {
  for (const [name, Client, least] of [['newest', Cloudflare, 40], ['four', Cloudflare4, 20]]) {
    const there = everyMethod(new Client(options));
    assert.ok(there.length >= least, `${name}: only ${there.length}`);
    assert.deepEqual(there.filter((method) => !called[name].has(method)), [], name);
  }
});
