// Every setting of a gateway: what it is called, what it means, how it is entered. A test compares the names with those of the API.

export type Kind =
  | { is: "flag" }
  | { is: "number"; unit: string; min: number; max?: number; zero?: string }
  | { is: "word"; options: readonly (readonly [string, string])[] }
  | { is: "text"; long?: boolean; max: number }
  | { is: "otel" | "guardrails" | "spend" | "json" };

export interface Member {
  name: string;
  label: string;
  help: string;
  kind: Kind;
}

export interface Section {
  id: string;
  title: string;
  note: string;
  members: Member[];
}

const flag = (name: string, label: string, help: string): Member => ({ name, label, help, kind: { is: "flag" } });
const number = (
  name: string,
  label: string,
  unit: string,
  help: string,
  more: { min?: number; max?: number; zero?: string } = {},
): Member => ({
  name,
  label,
  help,
  kind: { is: "number", unit, min: 0, ...more },
});
const word = (name: string, label: string, help: string, options: readonly (readonly [string, string])[]): Member => ({
  name,
  label,
  help,
  kind: { is: "word", options },
});

export const SECTIONS: Section[] = [
  {
    id: "access",
    title: "Access",
    note: "Who may send requests, and whose keys pay for them.",
    members: [
      flag(
        "authentication",
        "Require a token",
        "Callers must show a token with the permission “run”, as cf-aig-authorization or where their SDK puts its key.",
      ),
      flag(
        "byok_only",
        "Require provider credentials",
        "Requests never fall back to the operator's own provider keys.",
      ),
      {
        name: "store_id",
        label: "Secrets store",
        help: "The store that holds this gateway's provider keys.",
        kind: { is: "text", max: 256 },
      },
    ],
  },
  {
    id: "cache",
    title: "Cache",
    note: "Identical requests can be answered from memory or disk, for nothing.",
    members: [
      number("cache_ttl", "Keep answers for", "seconds", "A request can ask for another time with cf-aig-cache-ttl.", {
        zero: "caching is off",
      }),
      flag(
        "cache_invalidate_on_update",
        "Purge when settings change",
        "Saving this page forgets all cached answers of this gateway.",
      ),
    ],
  },
  {
    id: "limits",
    title: "Rate limit",
    note: "Requests of all callers together. Answers from the cache do not count.",
    members: [
      number("rate_limiting_limit", "Requests", "per window", "More are refused with 429 and told when to come back.", {
        zero: "no limit",
      }),
      number("rate_limiting_interval", "Window", "seconds", "How long a window is."),
      word(
        "rate_limiting_technique",
        "Technique",
        "Fixed windows are aligned to the clock; sliding ones always look back.",
        [
          ["fixed", "Fixed"],
          ["sliding", "Sliding"],
        ],
      ),
    ],
  },
  {
    id: "retries",
    title: "Retries",
    note: "What happens when a provider does not answer, or answers 408, 429 or 5xx. A request's own headers win.",
    members: [
      number("retry_max_attempts", "Attempts", "in all", "The first one included.", { min: 1, max: 5 }),
      number("retry_delay", "Pause", "ms", "Before another attempt. A provider's Retry-After is honoured.", {
        max: 60_000,
      }),
      word("retry_backoff", "Growth of the pause", "From one attempt to the next.", [
        ["constant", "Constant"],
        ["linear", "Linear"],
        ["exponential", "Exponential"],
      ]),
    ],
  },
  {
    id: "spend",
    title: "Spend limits",
    note: "Budgets in dollars. All rules are checked before a provider is asked; one that is used up refuses with 429.",
    members: [
      {
        name: "spend_limits",
        label: "Rules",
        help: "A dimension that is not named shares one budget.",
        kind: { is: "spend" },
      },
      {
        name: "tollgate_limits",
        label: "More limits",
        help: "Requests, tokens and requests at once, of everybody or by metadata, model or token. See docs/limits.md.",
        kind: { is: "json" },
      },
      flag(
        "tollgate_strict_cache",
        "Limits for cached answers",
        "Policies and budgets are asked for answers from the cache too.",
      ),
    ],
  },
  {
    id: "guardrails",
    title: "Guardrails",
    note: "Content moderation by category, for what is asked and what is answered.",
    members: [
      {
        name: "guardrails",
        label: "Categories",
        help: "Flag notes it in the log; block refuses the request.",
        kind: { is: "guardrails" },
      },
      {
        name: "dlp",
        label: "Data-loss prevention",
        help: "Profiles to search for, and what is done about a match, as JSON.",
        kind: { is: "json" },
      },
    ],
  },
  {
    id: "logs",
    title: "Logs",
    note: "What is written down about each request, and how much of it is kept.",
    members: [
      flag(
        "collect_logs",
        "Write a log",
        "One record a request. A request can ask for the opposite with cf-aig-collect-log.",
      ),
      number("log_management", "Keep at most", "records", "What happens then is said below.", {
        min: 10_000,
        max: 10_000_000,
      }),
      word("log_management_strategy", "When it is full", "", [
        ["DELETE_OLDEST", "Delete the oldest"],
        ["STOP_INSERTING", "Write no new ones"],
      ]),
      flag("log_classification", "Classify requests", "Analyses stored logs by task; needs a log."),
      flag("zdr", "Zero data retention", "Asks providers that offer it to keep nothing."),
    ],
  },
  {
    id: "export",
    title: "Export",
    note: "Where records go besides the log.",
    members: [
      {
        name: "otel",
        label: "OpenTelemetry exporters",
        help: "Each gets a trace of every request.",
        kind: { is: "otel" },
      },
      flag("logpush", "Logpush", "Sends records to the jobs of the account."),
      {
        name: "logpush_public_key",
        label: "Logpush public key",
        help: "PEM, RSA. Encrypts bodies and metadata on their way out.",
        kind: { is: "text", long: true, max: 1024 },
      },
      {
        name: "stripe",
        label: "Stripe metering",
        help: "Account key and usage events, as JSON.",
        kind: { is: "json" },
      },
    ],
  },
  {
    id: "translation",
    title: "Providers",
    note: "How strictly requests are passed on.",
    members: [
      flag(
        "tollgate_strict",
        "Refuse lossy translations",
        "A request that its provider's dialect cannot say whole is refused instead of sent with a note.",
      ),
      word("workers_ai_billing_mode", "Workers AI billing", "How Workers AI calls through this gateway are billed.", [
        ["postpaid", "Postpaid"],
        ["unified", "Unified"],
      ]),
    ],
  },
];

/** Members that the API wants in every update. */
export const ALWAYS_SENT = [
  "cache_invalidate_on_update",
  "cache_ttl",
  "collect_logs",
  "rate_limiting_interval",
  "rate_limiting_limit",
];
