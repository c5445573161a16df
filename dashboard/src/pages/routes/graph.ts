// A route as a graph: its elements, where each is drawn, what can be said against it before the gateway is asked.

import type { RouteElement } from "../../api/types";

export type Kind = "start" | "conditional" | "percentage" | "rate" | "model" | "end";

export const KINDS: Record<Kind, { label: string; help: string; outputs: string[] }> = {
  start: { label: "Start", help: "Where every request begins.", outputs: ["next"] },
  conditional: {
    label: "Condition",
    help: "Goes one way when metadata, headers or the body match.",
    outputs: ["true", "false"],
  },
  percentage: { label: "Split", help: "Sends shares of the traffic different ways.", outputs: ["50%", "else"] },
  rate: {
    label: "Budget",
    help: "Lets pass until a limit of requests or dollars is reached.",
    outputs: ["success", "fallback"],
  },
  model: {
    label: "Model",
    help: "Asks a model; its fallback is taken when it does not answer.",
    outputs: ["success", "fallback"],
  },
  end: { label: "End", help: "The request ends here.", outputs: [] },
};

export const isKind = (type: string): type is Kind => type in KINDS;

const DEFAULTS: Record<Kind, Record<string, unknown> | undefined> = {
  start: undefined,
  conditional: { conditions: { "metadata.plan": { $eq: "free" } } },
  percentage: {},
  rate: { limitType: "count", limit: 100, window: 60 },
  model: { provider: "openai", model: "gpt-5-mini" },
  end: undefined,
};

/** A name that no element has. */
function freshId(elements: RouteElement[], kind: Kind): string {
  for (let number = 1; ; number++) {
    const id = kind === "start" || kind === "end" ? (number === 1 ? kind : `${kind}${number}`) : `${kind}${number}`;
    if (!elements.some((each) => each.id === id)) return id;
  }
}

export function add(elements: RouteElement[], kind: Kind): { elements: RouteElement[]; id: string } {
  const id = freshId(elements, kind);
  const properties = DEFAULTS[kind];
  const fresh: RouteElement = { id, type: kind, outputs: {}, ...(properties ? { properties } : {}) };
  return { elements: [...elements, fresh], id };
}

export function remove(elements: RouteElement[], id: string): RouteElement[] {
  const keep = elements.filter((each) => each.id !== id);
  return keep.map((each) => ({
    ...each,
    outputs: Object.fromEntries(Object.entries(each.outputs ?? {}).filter(([, { elementId }]) => elementId !== id)),
  }));
}

export function connect(elements: RouteElement[], id: string, output: string, target: string): RouteElement[] {
  return elements.map((each) => {
    if (each.id !== id) return each;
    const { [output]: _, ...others } = each.outputs ?? {};
    // The order of outputs is kept, so that a change is a small difference.
    const names = Object.keys(each.outputs ?? {});
    const order = names.includes(output) ? names : [...names, output];
    const all = target ? { ...others, [output]: { elementId: target } } : others;
    return { ...each, outputs: Object.fromEntries(order.flatMap((name) => (all[name] ? [[name, all[name]]] : []))) };
  });
}

export function change(elements: RouteElement[], id: string, next: Partial<RouteElement>): RouteElement[] {
  const renamed = next.id !== undefined && next.id !== id ? next.id : undefined;
  return elements.map((each) => {
    const mine = each.id === id ? { ...each, ...next } : each;
    if (renamed === undefined || !mine.outputs) return mine;
    const outputs = Object.entries(mine.outputs).map(([name, { elementId }]) => [
      name,
      { elementId: elementId === id ? renamed : elementId },
    ]);
    return { ...mine, outputs: Object.fromEntries(outputs) };
  });
}

/** Outputs that an element has or could have, in the order people expect. */
export function outputsOf(element: RouteElement): string[] {
  const there = Object.keys(element.outputs ?? {});
  const usual = isKind(element.type) && element.type !== "percentage" ? KINDS[element.type].outputs : [];
  return [...usual, ...there.filter((name) => !usual.includes(name))];
}

export const START: RouteElement[] = [
  { id: "start", type: "start", outputs: { next: { elementId: "model1" } } },
  {
    id: "model1",
    type: "model",
    properties: { provider: "sandbox", model: "sandbox-1" },
    outputs: { success: { elementId: "end" } },
  },
  { id: "end", type: "end", outputs: {} },
];

export interface Placed {
  element: RouteElement;
  x: number;
  y: number;
}

export interface Edge {
  from: string;
  to: string;
  output: string;
  index: number;
  count: number;
}

export const NODE = { width: 192, height: 80, gapX: 76, gapY: 32 };

/** Columns by the longest way from the start; what cannot be reached stands last. */
export function layout(elements: RouteElement[]): { nodes: Placed[]; edges: Edge[]; width: number; height: number } {
  const depth = depths(elements);
  const deepest = Math.max(0, ...depth.values());
  const columns: RouteElement[][] = [];
  for (const element of elements) {
    const at = depth.get(element.id) ?? deepest + 1;
    const column = columns[at] ?? [];
    column.push(element);
    columns[at] = column;
  }
  const tallest = Math.max(1, ...columns.map((column) => column?.length ?? 0));
  const full = tallest * (NODE.height + NODE.gapY);
  const nodes: Placed[] = [];
  columns.forEach((column, at) => {
    const top = (full - (column?.length ?? 0) * (NODE.height + NODE.gapY)) / 2;
    column?.forEach((element, row) => {
      nodes.push({ element, x: at * (NODE.width + NODE.gapX), y: top + row * (NODE.height + NODE.gapY) });
    });
  });
  const known = new Set(elements.map(({ id }) => id));
  const edges = elements.flatMap(({ id, outputs }) => {
    const all = Object.entries(outputs ?? {}).filter(([, target]) => known.has(target.elementId));
    return all.map(([output, { elementId }], index) => ({ from: id, to: elementId, output, index, count: all.length }));
  });
  return { nodes, edges, width: columns.length * (NODE.width + NODE.gapX) - NODE.gapX, height: full - NODE.gapY };
}

function depths(elements: RouteElement[]): Map<string, number> {
  const found = new Map<string, number>();
  const start = elements.find(({ type }) => type === "start");
  if (!start) return found;
  const byId = new Map(elements.map((each) => [each.id, each]));
  found.set(start.id, 0);
  // Each round lengthens ways by one; a circle ends with the rounds.
  for (let round = 0; round < elements.length; round++) {
    let changed = false;
    for (const [id, depth] of [...found]) {
      for (const { elementId } of Object.values(byId.get(id)?.outputs ?? {})) {
        if (!byId.has(elementId) || (found.get(elementId) ?? -1) > depth || depth + 1 >= elements.length) continue;
        found.set(elementId, depth + 1);
        changed = true;
      }
    }
    if (!changed) break;
  }
  return found;
}

/** What is written on a node. */
export function summary({ type, properties = {} }: RouteElement): string {
  if (type === "model") return `${properties.provider ?? "?"}/${properties.model ?? "?"}`;
  if (type === "rate") {
    const limit = properties.limitType === "cost" ? `$${properties.limit}` : `${properties.limit} requests`;
    return `${limit} in ${properties.window} s${properties.key ? ` by ${properties.key}` : ""}`;
  }
  if (type === "conditional")
    return JSON.stringify(properties.conditions ?? properties.condition ?? {}).replaceAll('"', "");
  if (type === "percentage") return properties.sticky ? `sticky by ${properties.sticky}` : "by chance";
  return isKind(type) ? KINDS[type].help : type;
}
