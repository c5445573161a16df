// The graph: nodes are buttons, so it is walked by keyboard too; a dot at a node's edge is dragged onto another node to connect them.

import { CornerDownRight, DoorClosed, Flag, GitBranch, type LucideIcon, Percent, Play, Sparkles } from "lucide-react";
import { useMemo, useRef, useState } from "react";
import type { RouteElement } from "../../api/types";
import { useWidth } from "../../lib/width";
import { type Edge, isKind, KINDS, layout, NODE, outputsOf, type Placed, summary } from "./graph";

const ICONS: Record<string, LucideIcon> = {
  start: Play,
  conditional: GitBranch,
  percentage: Percent,
  rate: DoorClosed,
  model: Sparkles,
  end: Flag,
};
const PAD = 28;
/** Smaller than this nothing can be read; the rest is scrolled. */
const SCALE_MIN = 0.64;

interface Props {
  elements: RouteElement[];
  chosen: string | undefined;
  onChoose: (id: string) => void;
  onConnect: (id: string, output: string, target: string) => void;
  /** Elements that a tried request visited, with the outputs it took. */
  walked: { element: string; output: string | null }[];
  faulty: Set<string>;
}

export function Canvas({ elements, chosen, onChoose, onConnect, walked, faulty }: Props) {
  const { nodes, edges, width, height } = useMemo(() => layout(elements), [elements]);
  const place = useMemo(() => new Map(nodes.map((node) => [node.element.id, node])), [nodes]);
  const box = useRef<HTMLDivElement>(null);
  const frame = useRef<HTMLDivElement>(null);
  const room = useWidth(frame);
  const scale = Math.max(SCALE_MIN, Math.min(1, room / (width + 2 * PAD)));
  const [wire, setWire] = useState<{ from: string; output: string; x: number; y: number } | null>(null);
  const taken = (edge: Edge) => walked.some(({ element, output }) => element === edge.from && output === edge.output);

  function drag(event: React.PointerEvent, from: string, output: string) {
    event.preventDefault();
    event.stopPropagation();
    const at = (moved: PointerEvent) => {
      const inner = box.current?.getBoundingClientRect();
      return {
        x: (moved.clientX - (inner?.left ?? 0)) / scale - PAD,
        y: (moved.clientY - (inner?.top ?? 0)) / scale - PAD,
      };
    };
    const move = (moved: PointerEvent) => setWire({ from, output, ...at(moved) });
    const end = (moved: PointerEvent) => {
      removeEventListener("pointermove", move);
      removeEventListener("pointerup", end);
      setWire(null);
      const { x, y } = at(moved);
      const hit = nodes.find(
        (node) => x >= node.x && x <= node.x + NODE.width && y >= node.y && y <= node.y + NODE.height,
      );
      if (hit && hit.element.id !== from) onConnect(from, output, hit.element.id);
    };
    addEventListener("pointermove", move);
    addEventListener("pointerup", end);
  }

  return (
    <div ref={frame} className="canvas">
      <div
        ref={box}
        className="canvas-inner"
        style={{ width: width + 2 * PAD, height: height + 2 * PAD, transform: `scale(${scale})` }}
      >
        <svg width={width + 2 * PAD} height={height + 2 * PAD} aria-hidden="true">
          <g transform={`translate(${PAD} ${PAD})`}>
            {edges.map((edge) => (
              <Wire key={`${edge.from} ${edge.output}`} edge={edge} place={place} taken={taken(edge)} />
            ))}
            {wire ? <Loose wire={wire} place={place} /> : null}
          </g>
        </svg>
        {nodes.map((node) => (
          <Node
            key={node.element.id}
            node={node}
            chosen={node.element.id === chosen}
            walked={walked.some(({ element }) => element === node.element.id)}
            faulty={faulty.has(node.element.id)}
            onChoose={onChoose}
            onDrag={drag}
          />
        ))}
      </div>
    </div>
  );
}

/** Exits are spread over the lower edge. */
const exit = (node: Placed, index: number, count: number) => ({
  x: node.x + (NODE.width * (index + 1)) / (count + 1),
  y: node.y + NODE.height,
});

function curve(from: { x: number; y: number }, to: { x: number; y: number }): string {
  const bend = Math.max(28, Math.abs(to.y - from.y) / 2);
  return `M${from.x},${from.y} C${from.x},${from.y + bend} ${to.x},${to.y - bend} ${to.x},${to.y}`;
}

/** Down each lane in a straight line, and in curves between them. */
function through(
  start: { x: number; y: number },
  via: { x: number; y: number }[],
  end: { x: number; y: number },
): string {
  const parts: string[] = [];
  let from = start;
  for (const lane of via) {
    const out = { x: lane.x, y: lane.y + NODE.height };
    parts.push(curve(from, lane), `L${out.x},${out.y}`);
    from = out;
  }
  return [...parts, curve(from, end)].join(" ");
}

function Wire({ edge, place, taken }: { edge: Edge; place: Map<string, Placed>; taken: boolean }) {
  const [from, to] = [place.get(edge.from), place.get(edge.to)];
  if (!from || !to) return null;
  const outputs = outputsOf(from.element);
  const start = exit(from, outputs.indexOf(edge.output), outputs.length);
  const end = { x: to.x + NODE.width / 2, y: to.y };
  return (
    <g className="wire" data-output={edge.output} data-taken={taken}>
      <path d={through(start, edge.via, end)} />
      <text x={start.x + 6} y={start.y + 17}>
        {edge.output}
      </text>
    </g>
  );
}

function Loose({
  wire,
  place,
}: {
  wire: { from: string; output: string; x: number; y: number };
  place: Map<string, Placed>;
}) {
  const from = place.get(wire.from);
  if (!from) return null;
  const outputs = outputsOf(from.element);
  return (
    <g className="wire wire-loose">
      <path d={curve(exit(from, outputs.indexOf(wire.output), outputs.length), wire)} />
    </g>
  );
}

function Node({
  node,
  chosen,
  walked,
  faulty,
  onChoose,
  onDrag,
}: {
  node: Placed;
  chosen: boolean;
  walked: boolean;
  faulty: boolean;
  onChoose: (id: string) => void;
  onDrag: (event: React.PointerEvent, from: string, output: string) => void;
}) {
  const { element, x, y } = node;
  const Icon = ICONS[element.type] ?? CornerDownRight;
  const outputs = outputsOf(element);
  return (
    <div className="node-place" style={{ left: x + PAD, top: y + PAD, width: NODE.width, height: NODE.height }}>
      <button
        type="button"
        className="node"
        data-kind={element.type}
        data-walked={walked}
        data-faulty={faulty}
        aria-pressed={chosen}
        onClick={() => onChoose(element.id)}
      >
        <span className="node-head">
          <Icon size={14} aria-hidden />
          {isKind(element.type) ? KINDS[element.type].label : element.type}
          <code className="cut">{element.id}</code>
        </span>
        <span className="node-text">{summary(element)}</span>
      </button>
      {outputs.map((output, index) => (
        <span
          key={output}
          className="port"
          title={`Drag to connect “${output}”`}
          style={{ left: (NODE.width * (index + 1)) / (outputs.length + 1) }}
          data-open={!element.outputs?.[output]}
          onPointerDown={(event) => onDrag(event, element.id, output)}
        />
      ))}
    </div>
  );
}
