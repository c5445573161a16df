// The official Anthropic client: messages, streams, tools, structured output, token counts, errors, retries, timeouts.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import Anthropic from '@anthropic-ai/sdk';
import { jsonSchemaOutputFormat } from '@anthropic-ai/sdk/helpers/json-schema';

import { DIRECT, MODEL, SANDBOX, TOKEN, collect, dial, gatewayTest, record, recordOfEvent, unique } from './gateway.js';

const client = new Anthropic({ baseURL: SANDBOX, apiKey: TOKEN, maxRetries: 0 });
const messages = [{ role: 'user', content: 'How is the weather in Lisbon?' }];
const ask = { model: MODEL, max_tokens: 1024, messages };
const weather = {
  name: 'weather',
  description: 'The weather of a city.',
  input_schema: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
};
const mustUse = { tools: [weather], tool_choice: { type: 'any' } };

const ERRORS = {
  400: Anthropic.BadRequestError,
  401: Anthropic.AuthenticationError,
  403: Anthropic.PermissionDeniedError,
  404: Anthropic.NotFoundError,
  429: Anthropic.RateLimitError,
  500: Anthropic.InternalServerError,
  503: Anthropic.InternalServerError,
  529: Anthropic.InternalServerError,
};

const message = (more, options) => client.messages.create({ ...ask, ...more }, options);
const toolUse = (answer) => answer.content.find((block) => block.type === 'tool_use');

test('a message', async () => {
  const answer = await message();
  assert.ok(answer.content[0].text);
  assert.equal(answer.stop_reason, 'end_turn');
  assert.ok(answer.usage.input_tokens > 0 && answer.usage.output_tokens > 0);
});

test('a streamed message says the same', async () => {
  const whole = await message();
  const texts = [];
  const gathered = await client.messages.stream(ask).on('text', (text) => texts.push(text)).finalMessage();
  assert.ok(texts.length > 1);
  assert.equal(texts.join(''), whole.content[0].text);
  assert.equal(gathered.content[0].text, whole.content[0].text);
  assert.equal(gathered.usage.output_tokens, whole.usage.output_tokens);
});

test('tools, there and back', async () => {
  const asked = await message(mustUse);
  assert.equal(asked.stop_reason, 'tool_use');
  const call = toolUse(asked);
  assert.equal(typeof call.input.city, 'string');
  const result = { role: 'user', content: [{ type: 'tool_result', tool_use_id: call.id, content: '{"sky":"clear"}' }] };
  const history = [...messages, { role: 'assistant', content: asked.content }, result];
  const answer = await message({ tools: [weather], messages: history });
  assert.equal(answer.stop_reason, 'end_turn');
  assert.ok(answer.content[0].text);
});

test('a streamed tool call', async () => {
  const whole = toolUse(await message(mustUse));
  const pieces = [];
  const stream = client.messages.stream({ ...ask, ...mustUse }).on('inputJson', (piece) => pieces.push(piece));
  assert.deepEqual(toolUse(await stream.finalMessage()).input, whole.input);
  assert.ok(pieces.filter(Boolean).length > 1);
  assert.deepEqual(JSON.parse(pieces.join('')), whole.input);
});

test('structured output', async () => {
  const schema = { type: 'object', properties: { name: { type: 'string' } }, required: ['name'], additionalProperties: false };
  const answer = await client.messages.parse({ ...ask, output_config: { format: jsonSchemaOutputFormat(schema) } });
  assert.equal(typeof answer.parsed_output.name, 'string');
});

test('count_tokens', async () => {
  const counted = await client.messages.countTokens({ model: MODEL, messages });
  assert.equal(counted.input_tokens, (await message()).usage.input_tokens);
});

for (const [status, kind] of Object.entries(ERRORS)) {
  test(`status ${status} becomes ${kind.name}`, async () => {
    const error = await message({ model: dial({ status }) }).catch((error) => error);
    assert.ok(error instanceof kind, `${error.constructor.name}: ${error.message}`);
    assert.equal(error.status, Number(status));
    assert.ok(error.error.error.message);
  });
}

test('an error while asking for a stream', async () => {
  const stream = client.messages.stream({ ...ask, model: dial({ status: 429 }) });
  await assert.rejects(stream.finalMessage(), Anthropic.RateLimitError);
});

test('an invalid request is the provider\'s to refuse', async () => {
  await assert.rejects(message({ messages: 'not a list' }), Anthropic.BadRequestError);
});

for (const status of [429, 500, 529]) {
  test(`the client retries ${status} by itself`, async () => {
    const model = dial({ fail: 2, status, key: unique() });
    await assert.rejects(message({ model: dial({ fail: 2, status, key: unique() }) }, { maxRetries: 1 }), ERRORS[status]);
    assert.ok((await message({ model }, { maxRetries: 2 })).content[0].text);
    assert.ok((await message({ model })).content[0].text);
  });
}

test('the client\'s timeout', async () => {
  const event = unique();
  const options = { timeout: 300, headers: { 'cf-aig-event-id': event } };
  await assert.rejects(message({ model: dial({ latency: 30_000 }) }, options), Anthropic.APIConnectionTimeoutError);
  if (!DIRECT) assert.equal((await recordOfEvent(event)).success, false);
});

test('a stream cut by the provider is an error', async () => {
  const events = await message({ model: dial({ cut: 3 }), stream: true });
  const heard = [];
  await assert.rejects(async () => {
    for await (const event of events) heard.push(event.type);
  });
  assert.equal(heard[0], 'message_start');
  assert.ok(!heard.includes('message_stop'));
});

gatewayTest('the record has tokens, cost and metadata', async () => {
  const call = message({}, { headers: { 'cf-aig-metadata': '{"team":"sdk"}' } });
  const { data, response } = await call.withResponse();
  const row = await record(response.headers.get('cf-aig-log-id'));
  assert.deepEqual([row.provider, row.model, row.path], ['sandbox', MODEL, 'v1/messages']);
  assert.deepEqual([row.tokens_in, row.tokens_out], [data.usage.input_tokens, data.usage.output_tokens]);
  assert.ok(row.cost > 0);
  assert.deepEqual(JSON.parse(row.metadata), { team: 'sdk' });
});

gatewayTest('the record of a stream', async () => {
  const { data, response } = await message({ stream: true }).withResponse();
  const last = (await collect(data)).find((event) => event.type === 'message_delta');
  const row = await record(response.headers.get('cf-aig-log-id'));
  assert.equal(row.tokens_out, last.usage.output_tokens);
  assert.ok(row.cost > 0);
});

gatewayTest('the second time it comes from the cache', async () => {
  const options = { headers: { 'cf-aig-cache-key': unique() } };
  const first = await message({}, options).withResponse();
  const second = await message({}, options).withResponse();
  assert.equal(first.response.headers.get('cf-aig-cache-status'), 'MISS');
  assert.equal(second.response.headers.get('cf-aig-cache-status'), 'HIT');
  assert.equal(second.data.content[0].text, first.data.content[0].text);
});
