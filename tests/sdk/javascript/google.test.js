// The official Google client: content, streams, functions, structured output, embeddings, errors, retries, timeouts.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ApiError, FunctionCallingConfigMode, GoogleGenAI } from '@google/genai';

import { DIRECT, MODEL, SANDBOX, TOKEN, collect, dial, gatewayTest, record, recordOfEvent, unique } from './gateway.js';

const { models } = new GoogleGenAI({ apiKey: TOKEN, httpOptions: { baseUrl: SANDBOX } });
const contents = 'How is the weather in Lisbon?';
const ask = { model: MODEL, contents };
const city = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] };
const mustUse = {
  tools: [{ functionDeclarations: [{ name: 'weather', description: 'The weather of a city.', parametersJsonSchema: city }] }],
  toolConfig: { functionCallingConfig: { mode: FunctionCallingConfigMode.ANY } },
};

const withHeaders = (headers) => ({ config: { httpOptions: { headers } } });

test('content', async () => {
  const answer = await models.generateContent(ask);
  assert.ok(answer.text);
  assert.equal(answer.candidates[0].finishReason, 'STOP');
  const { promptTokenCount, candidatesTokenCount, totalTokenCount } = answer.usageMetadata;
  assert.equal(totalTokenCount, promptTokenCount + candidatesTokenCount);
});

test('streamed content says the same', async () => {
  const whole = await models.generateContent(ask);
  const chunks = await collect(await models.generateContentStream(ask));
  assert.ok(chunks.length > 1);
  assert.equal(chunks.map((chunk) => chunk.text ?? '').join(''), whole.text);
  assert.equal(chunks.at(-1).usageMetadata.totalTokenCount, whole.usageMetadata.totalTokenCount);
});

test('functions, there and back', async () => {
  const asked = await models.generateContent({ ...ask, config: mustUse });
  const [call] = asked.functionCalls;
  assert.equal(call.name, 'weather');
  assert.equal(typeof call.args.city, 'string');
  const answer = await models.generateContent({
    model: MODEL,
    contents: [
      { role: 'user', parts: [{ text: contents }] },
      asked.candidates[0].content,
      { role: 'user', parts: [{ functionResponse: { name: call.name, response: { sky: 'clear' } } }] },
    ],
  });
  assert.ok(answer.text);
});

test('a streamed function call', async () => {
  const whole = (await models.generateContent({ ...ask, config: mustUse })).functionCalls;
  const chunks = await collect(await models.generateContentStream({ ...ask, config: mustUse }));
  const named = (calls) => calls.map(({ name, args }) => ({ name, args }));
  assert.deepEqual(named(chunks.flatMap((chunk) => chunk.functionCalls ?? [])), named(whole));
});

test('structured output', async () => {
  const config = { responseMimeType: 'application/json', responseJsonSchema: city };
  const answer = await models.generateContent({ ...ask, config });
  assert.equal(typeof JSON.parse(answer.text).city, 'string');
});

test('embeddings', async () => {
  const one = await models.embedContent({ model: MODEL, contents: 'a' });
  const two = await models.embedContent({ model: MODEL, contents: ['a', 'b'] });
  assert.deepEqual(one.embeddings[0].values, two.embeddings[0].values);
  assert.notDeepEqual(two.embeddings[0].values, two.embeddings[1].values);
});

test('countTokens', async () => {
  const counted = await models.countTokens(ask);
  assert.equal(counted.totalTokens, (await models.generateContent(ask)).usageMetadata.promptTokenCount);
});

for (const status of [400, 401, 403, 404, 429, 500, 503]) {
  test(`status ${status} becomes an ApiError`, async () => {
    const error = await models.generateContent({ model: dial({ status }), contents }).catch((error) => error);
    assert.ok(error instanceof ApiError, String(error));
    assert.equal(error.status, status);
  });
}

test('an error while asking for a stream', async () => {
  const error = await models.generateContentStream({ model: dial({ status: 429 }), contents }).catch((error) => error);
  assert.equal(error.status, 429);
});

for (const status of [429, 500, 503]) {
  test(`the client retries ${status} as often as it was told`, async () => {
    const told = (attempts) => ({ httpOptions: { retryOptions: { attempts, initialDelay: 0.01, maxDelay: 0.02 } } });
    const ask = (attempts) => models.generateContent({ model: dial({ fail: 2, status, key: unique() }), contents, config: told(attempts) });
    assert.ok((await ask(3)).text);
    assert.equal((await ask(2).catch((error) => error)).status, status);
  });
}

test('the client\'s timeout', async () => {
  const event = unique();
  const config = { httpOptions: { timeout: 300, headers: { 'cf-aig-event-id': event } } };
  await assert.rejects(models.generateContent({ model: dial({ latency: 30_000 }), contents, config }), /abort|time/i);
  if (!DIRECT) assert.equal((await recordOfEvent(event)).success, false);
});

gatewayTest('the record has tokens, cost and metadata', async () => {
  const answer = await models.generateContent({ ...ask, ...withHeaders({ 'cf-aig-metadata': '{"team":"sdk"}' }) });
  const row = await record(answer.sdkHttpResponse.headers['cf-aig-log-id']);
  assert.deepEqual([row.provider, row.model], ['sandbox', MODEL]);
  assert.equal(row.tokens_in, answer.usageMetadata.promptTokenCount);
  assert.equal(row.tokens_out, answer.usageMetadata.candidatesTokenCount);
  assert.ok(row.cost > 0);
  assert.deepEqual(JSON.parse(row.metadata), { team: 'sdk' });
});

gatewayTest('the record of a stream', async () => {
  const chunks = await collect(await models.generateContentStream(ask));
  const row = await record(chunks[0].sdkHttpResponse.headers['cf-aig-log-id']);
  assert.equal(row.tokens_out, chunks.at(-1).usageMetadata.candidatesTokenCount);
  assert.ok(row.cost > 0);
});

gatewayTest('the second time it comes from the cache', async () => {
  const asked = { ...ask, ...withHeaders({ 'cf-aig-cache-key': unique() }) };
  const first = await models.generateContent(asked);
  const second = await models.generateContent(asked);
  assert.equal(first.sdkHttpResponse.headers['cf-aig-cache-status'], 'MISS');
  assert.equal(second.sdkHttpResponse.headers['cf-aig-cache-status'], 'HIT');
  assert.equal(second.text, first.text);
});
