// What the API answers, as far as this dashboard reads it (docs/ of the repository have the whole).

export interface Account {
  id: string;
  name: string;
}

/** How a budget stands; dollars. */
export interface Budget {
  kind: "token" | "rule" | "policy";
  gateway: string | null;
  id: string;
  bucket: string | null;
  limit: number;
  spent: number;
  held: number;
  left: number;
  period: string;
  window: number | null;
  from: string;
  until: string | null;
  used_up_at: string | null;
}

export interface Gateway {
  id: string;
  created_at: string;
  modified_at: string;
  is_default: boolean;
  authentication: boolean;
  collect_logs: boolean;
  cache_ttl: number | null;
  [setting: string]: unknown;
}

export interface Timings {
  total: number;
  latency: number;
  gateway_us: number;
  first_byte_us: number | null;
  first_token_us: number | null;
  last_byte_us: number;
}

export interface UsageParts {
  input_tokens: number;
  output_tokens: number;
  total_tokens: number;
  estimated: boolean;
  input_cached_tokens?: number;
  output_reasoning_tokens?: number;
  input_fresh_tokens?: number;
  cache_write_5m_tokens?: number;
  cache_write_1h_tokens?: number;
  input_audio_tokens?: number;
  output_audio_tokens?: number;
  [other: string]: number | boolean | undefined;
}

export interface LogRow {
  id: string;
  event_id: string;
  created_at: string;
  provider: string;
  model: string;
  path: string;
  status_code: number;
  success: boolean;
  cached: boolean;
  duration: number;
  timings: Timings;
  tokens_in: number | null;
  tokens_out: number | null;
  cost?: number;
  cost_estimated?: boolean;
  reported_cost?: number;
  cost_differs?: boolean;
  custom_cost: boolean;
  metadata: string | null;
  step: number;
  feedback: number | null;
  score: number | null;
  authentication: boolean;
  user_agent: string | null;
  streamed: boolean;
  outcome: "complete" | "truncated" | "cancelled" | "refused";
  usage_metadata?: UsageParts;
  answered_model?: string;
  finish?: string;
  request_type?: string;
  request_content_type?: string;
  response_content_type?: string;
  refusal?: { code?: number; message?: string; [more: string]: unknown };
}

/** What the records of a stretch of time come to. */
export interface Stretch {
  start: string;
  requests: number;
  errors: number;
  cached: number;
  tokens_in: number;
  tokens_out: number;
  cost: number;
  duration: number;
}

export interface Attempt {
  provider: string;
  model: string | null;
  origin: string;
  started_us: number;
  queue_us: number;
  connect_us: number;
  first_byte_us: number | null;
  ended_us: number;
  status: number | null;
  miss: string | null;
  reused: boolean;
}

export interface Visit {
  element: string;
  type: string;
  target: string | null;
  output: string | null;
  why: string;
}

export interface Trace {
  route: { id: string; name: string; version_id: string } | null;
  visited: Visit[];
  candidates: { target: string; eligible: boolean; why: string }[];
  stopped: string | null;
}

export interface CostLine {
  class: string;
  quantity: number;
  unit: string;
  /** Dollars for a million units. */
  unit_price: string | null;
  amount: number;
  amount_nanos: number;
  source: "catalog" | "custom" | "provider-reported" | "estimated";
  catalog: string | null;
}

export interface LogDetail extends LogRow {
  cost_lines?: CostLine[];
  method: string;
  request_size: number;
  response_size: number;
  request_body: "kept" | "empty" | "opted_out" | "too_large";
  response_body: "kept" | "empty" | "opted_out" | "too_large";
  attempts: Attempt[];
  losses?: { field: string; kind: string; why: string }[];
  losses_more?: number;
  trace?: Trace | null;
  request_head?: string;
  response_head?: string;
}

export interface RouteElement {
  id: string;
  type: string;
  outputs?: Record<string, { elementId: string }>;
  properties?: Record<string, unknown>;
}

export interface Route {
  id: string;
  name: string;
  created_at: string;
  modified_at: string;
  elements: RouteElement[];
  deployment?: { deployment_id: string; version_id: string; created_at: string } | null;
  version?: { version_id: string; active: boolean; is_valid: boolean; created_at: string };
}

export interface RouteVersion {
  version_id: string;
  active: boolean;
  is_valid?: boolean;
  created_at: string;
  data: string;
  elements?: RouteElement[];
}

export interface Deployment {
  deployment_id: string;
  version_id: string;
  created_at: string;
}

export interface Decision {
  log_id?: string;
  seed: string;
  chosen: { element: string; provider: string; model: string } | null;
  tried: string[];
  visited: Visit[];
  stopped?: string | null;
}

export interface Simulated {
  warnings: string[];
  chosen: unknown;
  decisions: Decision[];
}
