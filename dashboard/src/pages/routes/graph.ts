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
  /** Upper ends of its lanes in the rows between. */
  via: { x: number; y: number }[];
}

export const NODE = { width: 196, height: 76, gapX: 34, gapY: 62 };

/** Something that takes room in a row: an element, or a lane for a wire that only passes. */
interface Item {
  element?: RouteElement;
  key: string;
  width: number;
  /** What leads to it, in the row above. */
  parents: string[];
}

const LANE = 12;

/** Rows by the longest way from the start; what cannot be reached stands last. A wire over several rows has a lane in each. */
export function layout(elements: RouteElement[]): { nodes: Placed[]; edges: Edge[]; width: number; height: number } {
  const depth = depths(elements);
  const last = Math.max(0, ...depth.values()) + 1;
  const rows: Item[][] = Array.from({ length: last + 1 }, () => []);
  const items = new Map<string, Item>();
  const put = (row: number, item: Item) => {
    items.set(item.key, item);
    rows[row]?.push(item);
  };
  for (const element of elements)
    put(depth.get(element.id) ?? last, { element, key: element.id, width: NODE.width, parents: [] });
  const wires = edgesOf(elements).map((edge) => {
    const [from, to] = [depth.get(edge.from) ?? last, depth.get(edge.to) ?? last];
    const lanes: string[] = [];
    for (let row = from + 1; row < to; row++) {
      const key = `${edge.from} ${edge.output} ${row}`;
      put(row, { key, width: LANE, parents: [lanes.at(-1) ?? edge.from] });
      lanes.push(key);
    }
    if (to > from) items.get(edge.to)?.parents.push(lanes.at(-1) ?? edge.from);
    return { edge, lanes };
  });
  return place(
    rows.filter((row) => row.length > 0),
    wires,
  );
}

function place(rows: Item[][], wires: { edge: Omit<Edge, "via">; lanes: string[] }[]) {
  const widthOf = (row: Item[]) => row.reduce((sum, { width }) => sum + width + NODE.gapX, -NODE.gapX);
  const full = Math.max(...rows.map(widthOf), NODE.width);
  const middle = new Map<string, { x: number; y: number }>();
  const nodes: Placed[] = [];
  rows.forEach((row, at) => {
    const wish = ({ parents }: Item) =>
      parents.reduce((sum, key, index) => sum + (middle.get(key)?.x ?? 0) + index, 0) / Math.max(1, parents.length);
    const ordered = row
      .map((item, index) => ({ item, wish: wish(item) + index / 100 }))
      .sort((a, b) => a.wish - b.wish);
    let x = (full - widthOf(row)) / 2;
    const y = at * (NODE.height + NODE.gapY);
    for (const { item } of ordered) {
      middle.set(item.key, { x: x + item.width / 2, y });
      if (item.element) nodes.push({ element: item.element, x, y });
      x += item.width + NODE.gapX;
    }
  });
  const edges = wires.map(({ edge, lanes }) => ({ ...edge, via: lanes.flatMap((key) => middle.get(key) ?? []) }));
  return { nodes, edges, width: full, height: rows.length * (NODE.height + NODE.gapY) - NODE.gapY };
}

function edgesOf(elements: RouteElement[]): Omit<Edge, "via">[] {
  const known = new Set(elements.map(({ id }) => id));
  return elements.flatMap(({ id, outputs }) =>
    Object.entries(outputs ?? {})
      .filter(([, target]) => known.has(target.elementId))
      .map(([output, { elementId }]) => ({ from: id, to: elementId, output })),
  );
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
