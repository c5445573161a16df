import { Trash2 } from "lucide-react";
import { useState } from "react";
import type { RouteElement } from "../../api/types";
import { Button } from "../../ui/basics";
import { AreaField, SelectField, TextField } from "../../ui/forms";
import { change, connect, isKind, KINDS, outputsOf, remove } from "./graph";

interface Props {
  elements: RouteElement[];
  element: RouteElement;
  onChange: (elements: RouteElement[], chosen?: string) => void;
}

export function Inspector({ elements, element, onChange }: Props) {
  const properties = element.properties ?? {};
  const set = (next: Record<string, unknown>) => {
    const all = Object.entries({ ...properties, ...next }).filter(([, value]) => value !== undefined && value !== "");
    onChange(change(elements, element.id, { properties: Object.fromEntries(all) }));
  };
  return (
    <div className="stack">
      <div className="row row-apart">
        <h3>{isKind(element.type) ? KINDS[element.type].label : element.type}</h3>
        {element.type === "start" ? null : (
          <Button small look="danger" onClick={() => onChange(remove(elements, element.id))}>
            <Trash2 size={13} aria-hidden /> Remove
          </Button>
        )}
      </div>
      <TextField
        label="Id"
        key={element.id}
        defaultValue={element.id}
        onBlur={(event) => {
          const id = event.target.value.trim();
          if (id && !elements.some((each) => each.id === id)) onChange(change(elements, element.id, { id }), id);
        }}
      />
      <Properties element={element} properties={properties} onChange={set} />
      <Outputs elements={elements} element={element} onChange={onChange} />
    </div>
  );
}

function Properties({
  element,
  properties,
  onChange,
}: {
  element: RouteElement;
  properties: Record<string, unknown>;
  onChange: (next: Record<string, unknown>) => void;
}) {
  const text = (name: string) => String(properties[name] ?? "");
  const number = (said: string) => (said === "" ? undefined : Number(said));
  switch (element.type) {
    case "model":
      return (
        <>
          <TextField
            label="Provider"
            hint="A path segment, such as openai, or custom-…"
            value={text("provider")}
            onChange={(event) => onChange({ provider: event.target.value })}
          />
          <TextField
            label="Model"
            value={text("model")}
            onChange={(event) => onChange({ model: event.target.value })}
          />
          <div className="cols-2">
            <TextField
              label="Time-out (ms)"
              type="number"
              min={0}
              placeholder="the request's"
              value={text("timeout")}
              onChange={(event) => onChange({ timeout: number(event.target.value) })}
            />
            <TextField
              label="Retries"
              type="number"
              min={0}
              max={4}
              placeholder="the gateway's"
              value={text("retries")}
              onChange={(event) => onChange({ retries: number(event.target.value) })}
            />
          </div>
        </>
      );
    case "rate":
      return (
        <>
          <div className="cols-2">
            <SelectField
              label="Counts"
              options={[
                ["count", "requests"],
                ["cost", "dollars"],
              ]}
              value={text("limitType")}
              onChange={(event) => onChange({ limitType: event.target.value })}
            />
            <TextField
              label="Limit"
              type="number"
              min={0}
              step="any"
              value={text("limit")}
              onChange={(event) => onChange({ limit: number(event.target.value) })}
            />
          </div>
          <TextField
            label="Window (seconds)"
            type="number"
            min={1}
            value={text("window")}
            onChange={(event) => onChange({ window: number(event.target.value) })}
          />
          <TextField
            label="For each"
            placeholder="metadata.user_id; empty: all together"
            value={text("key")}
            onChange={(event) => onChange({ key: event.target.value })}
          />
        </>
      );
    case "conditional":
      return (
        <Conditions
          key={element.id}
          value={properties.conditions ?? properties.condition}
          onChange={(conditions) => onChange({ conditions, condition: undefined })}
        />
      );
    case "percentage":
      return (
        <TextField
          label="Sticky by"
          placeholder="metadata.user_id; empty: by chance"
          value={text("sticky")}
          onChange={(event) => onChange({ sticky: event.target.value })}
        />
      );
    default:
      return null;
  }
}

function Conditions({ value, onChange }: { value: unknown; onChange: (value: unknown) => void }) {
  const [said, setSaid] = useState(JSON.stringify(value ?? {}, null, 2));
  const [wrong, setWrong] = useState<string>();
  return (
    <AreaField
      label="Conditions"
      hint="metadata.…, headers.…, body.…, model, stream; $eq, $ne, $in, $gt, $regex, $exists, $and, $or"
      className="mono"
      rows={7}
      fault={wrong}
      value={said}
      onChange={(event) => {
        setSaid(event.target.value);
        try {
          onChange(JSON.parse(event.target.value));
          setWrong(undefined);
        } catch {
          setWrong("Not JSON yet");
        }
      }}
    />
  );
}

const SHARES_MAX = 5;

function Outputs({ elements, element, onChange }: Props) {
  const names = outputsOf(element);
  const targets = [
    ["", "nowhere"] as const,
    ...elements.filter(({ id, type }) => id !== element.id && type !== "start").map(({ id }) => [id, id] as const),
  ];
  const isSplit = element.type === "percentage";
  const shares = names.filter((name) => name !== "else");
  function rename(from: string, to: string) {
    const outputs = Object.entries(element.outputs ?? {}).map(([name, target]) => [name === from ? to : name, target]);
    onChange(change(elements, element.id, { outputs: Object.fromEntries(outputs) }));
  }
  function share() {
    const end = elements.find(({ type }) => type === "end")?.id ?? elements[0]?.id ?? "";
    const free =
      shares.length === 0
        ? "50%"
        : `${Math.max(1, Math.floor((100 - shares.reduce((sum, name) => sum + Number.parseFloat(name), 0)) / 2))}%`;
    const outputs = { [free]: { elementId: end }, ...element.outputs };
    onChange(
      change(elements, element.id, { outputs: { ...outputs, else: element.outputs?.else ?? { elementId: end } } }),
    );
  }
  if (element.type === "end") return null;
  return (
    <fieldset className="stack stack-s">
      <legend className="label">Leads to</legend>
      {names.map((name) => (
        <div key={name} className="output-row">
          {isSplit && name !== "else" ? (
            <input
              className="input"
              aria-label="Share"
              defaultValue={name}
              onBlur={(event) => {
                const said = `${Number.parseFloat(event.target.value) || 0}%`;
                if (said !== name && !names.includes(said)) rename(name, said);
              }}
            />
          ) : (
            <span className="label">{name}</span>
          )}
          <select
            className="input"
            aria-label={`Where ${name} leads`}
            value={element.outputs?.[name]?.elementId ?? ""}
            onChange={(event) => onChange(connect(elements, element.id, name, event.target.value))}
          >
            {targets.map(([id, label]) => (
              <option key={id} value={id}>
                {label}
              </option>
            ))}
          </select>
        </div>
      ))}
      {isSplit && shares.length < SHARES_MAX ? (
        <div>
          <Button small onClick={share}>
            Add a share
          </Button>
        </div>
      ) : null}
    </fieldset>
  );
}
