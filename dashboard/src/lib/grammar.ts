// The language of the log's search box: `status:error model:gpt cost:>0.05 meta.team:search "refund"`.
// Enters: text. Leaves: filter objects of the API, and words to search for. Never: an error: what is not understood is searched as a word.

export interface Filter {
  key: string;
  operator: "eq" | "neq" | "contains" | "lt" | "gt";
  value: (string | number | boolean | null)[];
}

export interface Term {
  /** As written, to be shown on a chip and taken out again. */
  text: string;
  filters: Filter[];
}

export interface Parsed {
  terms: Term[];
  /** Terms that the API reads itself. */
  line: string;
  search: string;
}

const NUMBERS: Record<string, string> = {
  cost: "cost",
  duration: "duration",
  tokens: "tokens",
  tokens_in: "tokens_in",
  tokens_out: "tokens_out",
};
const TEXTS: Record<string, string> = {
  model: "model",
  provider: "provider",
  id: "id",
  event: "event_id",
  type: "request_type",
  agent: "user_agent",
  dlp: "dlp_action",
};
const FLAGS: Record<string, string> = {
  cached: "cached",
  auth: "authentication",
  cost_differs: "cost_differs",
  wholesale: "wholesale",
};
const FEEDBACK: Record<string, number | null> = { up: 1, down: -1, none: null };

export const TERM_HELP: { term: string; help: string }[] = [
  { term: "status:error", help: "or status:success, status:429, status:>=500" },
  { term: "model:gpt", help: "part of the model's name" },
  { term: "provider:openai", help: "exactly this provider; -provider: for all others" },
  { term: "cached:true", help: "answered from the cache" },
  { term: "cost:>0.05", help: "dollars; also <" },
  { term: "cost_differs:true", help: "the provider says it charged something else" },
  { term: "duration:>2000", help: "milliseconds" },
  { term: "tokens:>1000", help: "in and out; also tokens_in, tokens_out" },
  { term: "meta.team:search", help: "a metadata entry" },
  { term: "feedback:down", help: "up, down or none" },
  { term: "agent:python", help: "part of the user agent" },
  { term: "id:0199…", help: "a log id; event: for an event id" },
];

/** Words, with quotes around what holds spaces. */
export function words(text: string): string[] {
  return text.match(/(?:[^\s"]|"[^"]*"?)+/g) ?? [];
}

const unquote = (text: string): string => text.replaceAll('"', "");

export function parse(text: string): Parsed {
  const terms: Term[] = [];
  const search: string[] = [];
  for (const word of words(text)) {
    const filters = read(word);
    if (filters) terms.push({ text: word, filters });
    else search.push(unquote(word));
  }
  const own = terms.filter(({ filters }) => filters.length === 0).map(({ text }) => text);
  return { terms, line: own.join(" "), search: search.join(" ") };
}

function read(word: string): Filter[] | null {
  const at = word.indexOf(":");
  if (at < 1) return null;
  const negative = word.startsWith("-");
  const name = word.slice(negative ? 1 : 0, at).toLowerCase();
  const value = unquote(word.slice(at + 1));
  if (!value) return null;
  if (name.startsWith("meta.")) return metadata(word.slice(negative ? 6 : 5, at), value);
  if (name === "status") return status(value);
  if (name in FLAGS) return flag(FLAGS[name] as string, value);
  if (name === "feedback")
    return value in FEEDBACK ? [{ key: "feedback", operator: "eq", value: [FEEDBACK[value] ?? null] }] : null;
  if (name in NUMBERS) return number(NUMBERS[name] as string, value);
  if (name in TEXTS) return texts(name, value, negative);
  return null;
}

function metadata(key: string, value: string): Filter[] {
  return [
    { key: "metadata.key", operator: "eq", value: [key] },
    { key: "metadata.value", operator: "eq", value: [value] },
  ];
}

const CODE = /^(>=|<=|>|<)?\d{3}$/;

/** A code is left to the API: its filter objects have no key for it. */
function status(value: string): Filter[] | null {
  if (CODE.test(value)) return [];
  if (value !== "error" && value !== "success") return null;
  return [{ key: "success", operator: "eq", value: [value === "success"] }];
}

function flag(key: string, value: string): Filter[] | null {
  if (value !== "true" && value !== "false") return null;
  return [{ key, operator: "eq", value: [value === "true"] }];
}

function number(key: string, value: string): Filter[] | null {
  const match = /^(>|<|)(\d+(?:\.\d+)?)$/.exec(value);
  if (!match) return null;
  const operator = match[1] === ">" ? "gt" : match[1] === "<" ? "lt" : "eq";
  return [{ key, operator, value: [Number(match[2])] }];
}

const EXACT = new Set(["provider", "id", "event", "type", "dlp"]);

function texts(name: string, value: string, negative: boolean): Filter[] {
  const key = TEXTS[name] as string;
  if (negative) return [{ key, operator: "neq", value: [value] }];
  return [{ key, operator: EXACT.has(name) ? "eq" : "contains", value: EXACT.has(name) ? value.split(",") : [value] }];
}

/** The text without one of its terms, or with one more. */
export const without = (text: string, term: string): string => {
  const all = words(text);
  const at = all.indexOf(term);
  return all.filter((_, index) => index !== at).join(" ");
};

export const withTerm = (text: string, term: string): string =>
  words(text).includes(term) ? text : `${text.trim()} ${term}`.trim();

export const quoted = (value: string): string => (/\s/.test(value) ? `"${value.replaceAll('"', "")}"` : value);
