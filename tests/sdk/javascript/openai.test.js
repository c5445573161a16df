// The official OpenAI client: chat, responses, tools, structured output, embeddings, errors, retries, timeouts.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import OpenAI from 'openai';

import { DIRECT, MODEL, ROOT, SANDBOX, TOKEN, collect, dial, gatewayTest, record, recordOfEvent, unique } from './gateway.js';

const client = new OpenAI({ baseURL: `${SANDBOX}/v1`, apiKey: TOKEN, maxRetries: 0 });
const messages = [{ role: 'user', content: 'How is the weather in Lisbon?' }];
const ask = { model: MODEL, messages };
const parameters = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'], additionalProperties: false };
const tools = [{ type: 'function', function: { name: 'weather', description: 'The weather of a city.', parameters } }];
const city = {
  type: 'object',
  properties: { name: { type: 'string' }, inhabitants: { type: 'integer' } },
  required: ['name', 'inhabitants'],
  additionalProperties: false,
};

const ERRORS = {
  400: OpenAI.BadRequestError,
  401: OpenAI.AuthenticationError,
  403: OpenAI.PermissionDeniedError,
  404: OpenAI.NotFoundError,
  409: OpenAI.ConflictError,
  422: OpenAI.UnprocessableEntityError,
  429: OpenAI.RateLimitError,
  500: OpenAI.InternalServerError,
  503: OpenAI.InternalServerError,
};

const chat = (more, options) => client.chat.completions.create({ ...ask, ...more }, options);

test('chat', async () => {
  const answer = await chat();
  assert.equal(answer.choices[0].message.role, 'assistant');
  assert.ok(answer.choices[0].message.content);
  assert.equal(answer.choices[0].finish_reason, 'stop');
  assert.ok(answer.usage.prompt_tokens > 0 && answer.usage.completion_tokens > 0);
});

test('a streamed chat says the same', async () => {
  const whole = await chat();
  const chunks = await collect(await chat({ stream: true, stream_options: { include_usage: true } }));
  const texts = chunks.map((chunk) => chunk.choices[0]?.delta.content).filter(Boolean);
  assert.ok(texts.length > 1);
  assert.equal(texts.join(''), whole.choices[0].message.content);
  assert.deepEqual(chunks.map((chunk) => chunk.usage).filter(Boolean), [whole.usage]);
});

test('the stream helper gathers the answer', async () => {
  const gathered = await client.chat.completions.stream(ask).finalChatCompletion();
  assert.equal(gathered.choices[0].message.content, (await chat()).choices[0].message.content);
});

test('tools, there and back', async () => {
  const asked = await chat({ tools, tool_choice: 'required' });
  assert.equal(asked.choices[0].finish_reason, 'tool_calls');
  const [call] = asked.choices[0].message.tool_calls;
  assert.equal(call.function.name, 'weather');
  assert.equal(typeof JSON.parse(call.function.arguments).city, 'string');
  const result = { role: 'tool', tool_call_id: call.id, content: '{"sky":"clear"}' };
  const answer = await chat({ tools, messages: [...messages, asked.choices[0].message, result] });
  assert.equal(answer.choices[0].finish_reason, 'stop');
  assert.ok(answer.choices[0].message.content);
});

test('a streamed tool call', async () => {
  const whole = (await chat({ tools, tool_choice: 'required' })).choices[0].message.tool_calls[0];
  const chunks = await collect(await chat({ tools, tool_choice: 'required', stream: true }));
  const pieces = chunks.flatMap((chunk) => chunk.choices[0]?.delta.tool_calls ?? []);
  const text = pieces.map((piece) => piece.function?.arguments ?? '').join('');
  assert.ok(pieces.length > 1);
  assert.equal(pieces[0].function.name, 'weather');
  assert.deepEqual(JSON.parse(text), JSON.parse(whole.function.arguments));
});

test('structured output', async () => {
  const format = { type: 'json_schema', json_schema: { name: 'city', strict: true, schema: city } };
  const answer = await client.chat.completions.parse({ ...ask, response_format: format });
  const { parsed } = answer.choices[0].message;
  assert.equal(typeof parsed.name, 'string');
  assert.ok(Number.isInteger(parsed.inhabitants));
});

test('a response, whole and streamed', async () => {
  const asked = { model: MODEL, input: messages[0].content };
  const whole = await client.responses.create(asked);
  assert.equal(whole.status, 'completed');
  assert.ok(whole.output_text);
  const events = await collect(await client.responses.create({ ...asked, stream: true }));
  const deltas = events.filter((event) => event.type === 'response.output_text.delta').map((event) => event.delta);
  assert.ok(deltas.length > 1);
  assert.equal(deltas.join(''), whole.output_text);
  assert.equal(events.at(-1).type, 'response.completed');
  assert.deepEqual(events.at(-1).response.usage, whole.usage);
});

test('a response with tools', async () => {
  const tool = { type: 'function', name: 'weather', parameters, strict: true };
  const asked = await client.responses.create({ model: MODEL, input: messages, tools: [tool], tool_choice: 'required' });
  const call = asked.output.find((item) => item.type === 'function_call');
  assert.equal(typeof JSON.parse(call.arguments).city, 'string');
  const told = { type: 'function_call_output', call_id: call.call_id, output: '{"sky":"clear"}' };
  const answer = await client.responses.create({ model: MODEL, input: [...messages, ...asked.output, told], tools: [tool] });
  assert.ok(answer.output_text);
});

test('embeddings', async () => {
  const one = await client.embeddings.create({ model: MODEL, input: 'a' });
  const two = await client.embeddings.create({ model: MODEL, input: ['a', 'b'], encoding_format: 'float' });
  assert.equal(two.data.length, 2);
  // Asked for as base64 by the client itself, and as numbers: the same vector, as far as 32 bits go.
  assert.deepEqual(one.data[0].embedding.map(Math.fround), two.data[0].embedding.map(Math.fround));
  assert.notDeepEqual(two.data[0].embedding, two.data[1].embedding);
});

for (const [status, kind] of Object.entries(ERRORS)) {
  test(`status ${status} becomes ${kind.name}`, async () => {
    const error = await chat({ model: dial({ status }) }).catch((error) => error);
    assert.equal(error.constructor, kind);
    assert.equal(error.status, Number(status));
    assert.ok(error.error.message);
    assert.ok(error.type);
  });
}

test('an error while asking for a stream', async () => {
  await assert.rejects(chat({ model: dial({ status: 429 }), stream: true }), OpenAI.RateLimitError);
});

test('retry-after is visible', async () => {
  const error = await chat({ model: dial({ status: 429, retry_after: 7 }) }).catch((error) => error);
  assert.equal(error.headers.get('retry-after'), '7');
});

test('an invalid request is the provider\'s to refuse', async () => {
  await assert.rejects(chat({ messages: 'not a list' }), OpenAI.BadRequestError);
});

for (const status of [429, 500, 503]) {
  test(`the client retries ${status} by itself`, async () => {
    const model = dial({ fail: 2, status, key: unique() });
    await assert.rejects(chat({ model: dial({ fail: 2, status, key: unique() }) }, { maxRetries: 1 }), ERRORS[status]);
    assert.ok((await chat({ model }, { maxRetries: 2 })).choices[0].message.content);
    // Two failures were owed and two were paid: this one needs no retry.
    assert.ok((await chat({ model })).choices[0].message.content);
  });
}

test('the client\'s timeout', async () => {
  const event = unique();
  const options = { timeout: 300, headers: { 'cf-aig-event-id': event } };
  await assert.rejects(chat({ model: dial({ latency: 30_000 }) }, options), OpenAI.APIConnectionTimeoutError);
  // The upstream was left as well: the record is there long before the sandbox would have answered.
  if (!DIRECT) assert.equal((await recordOfEvent(event)).success, false);
});

test('a stream cut by the provider is an error', async () => {
  const stream = await chat({ model: dial({ cut: 3 }), stream: true });
  const heard = [];
  await assert.rejects(async () => {
    for await (const chunk of stream) heard.push(chunk);
  });
  assert.equal(heard.length, 3);
});

test('many at once each get their own', async () => {
  const create = (n) => client.embeddings.create({ model: MODEL, input: `text ${n}` });
  const together = await Promise.all(Array.from({ length: 40 }, (_, n) => create(n)));
  const vectors = together.map((answer) => answer.data[0].embedding);
  assert.equal(new Set(vectors.map(String)).size, 40);
  assert.deepEqual(vectors[7], (await create(7)).data[0].embedding);
});

gatewayTest('a stream that its reader leaves is recorded', async () => {
  const event = unique();
  const stream = await chat({ model: dial({ tps: 5 }), stream: true }, { headers: { 'cf-aig-event-id': event } });
  for await (const _ of stream) break;
  assert.equal((await recordOfEvent(event)).success, false);
});

gatewayTest('the gateway\'s own refusal', async () => {
  const lost = client.withOptions({ baseURL: `${ROOT}/no-such-provider/v1` });
  const error = await lost.chat.completions.create(ask).catch((error) => error);
  assert.equal(error.constructor, OpenAI.BadRequestError);
  assert.equal(error.error[0].code, 2008);
});

gatewayTest('the record has tokens, cost and metadata', async () => {
  const marks = { team: 'sdk', n: 7, dry: true };
  const call = chat({}, { headers: { 'cf-aig-metadata': JSON.stringify(marks) } });
  const { data, response } = await call.withResponse();
  const row = await record(response.headers.get('cf-aig-log-id'));
  assert.deepEqual([row.provider, row.model, row.path], ['sandbox', MODEL, 'v1/chat/completions']);
  assert.deepEqual([row.tokens_in, row.tokens_out], [data.usage.prompt_tokens, data.usage.completion_tokens]);
  assert.ok(row.cost > 0);
  assert.deepEqual(JSON.parse(row.metadata), marks);
});

gatewayTest('the record of a stream has tokens the caller did not ask for', async () => {
  const { data, response } = await chat({ stream: true }).withResponse();
  const chunks = await collect(data);
  assert.ok(chunks.every((chunk) => !chunk.usage));
  const row = await record(response.headers.get('cf-aig-log-id'));
  assert.ok(row.tokens_in > 0 && row.tokens_out > 0 && row.cost > 0);
});

gatewayTest('the second time it comes from the cache', async () => {
  const options = { headers: { 'cf-aig-cache-key': unique() } };
  const first = await chat({}, options).withResponse();
  const second = await chat({}, options).withResponse();
  assert.equal(first.response.headers.get('cf-aig-cache-status'), 'MISS');
  assert.equal(second.response.headers.get('cf-aig-cache-status'), 'HIT');
  assert.deepEqual(second.data, first.data);
});

gatewayTest('a cached stream is a stream again', async () => {
  const options = { headers: { 'cf-aig-cache-key': unique(), 'tollgate-cache-stream': 'true' } };
  const first = await chat({ stream: true }, options).withResponse();
  const heard = await collect(first.data);
  const second = await chat({ stream: true }, options).withResponse();
  assert.equal(second.response.headers.get('cf-aig-cache-status'), 'HIT');
  assert.deepEqual(await collect(second.data), heard);
});
