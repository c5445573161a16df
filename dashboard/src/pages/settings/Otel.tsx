import { Plus, Trash2 } from "lucide-react";
import { Button } from "../../ui/basics";
import { SelectField, TextField } from "../../ui/forms";
import type { PartProps } from "./MemberField";

interface Exporter {
  url: string;
  headers: Record<string, string>;
  authorization?: string;
  content_type?: string;
}

const FORMS = [
  ["json", "JSON"],
  ["protobuf", "Protobuf"],
] as const;

const written = (headers: Record<string, string>) =>
  Object.entries(headers)
    .map(([name, value]) => `${name}: ${value}`)
    .join(", ");

function readHeaders(text: string): Record<string, string> {
  const pairs = text.split(",").flatMap((pair) => {
    const [name, ...value] = pair.split(":");
    return name?.trim() ? [[name.trim(), value.join(":").trim()] as const] : [];
  });
  return Object.fromEntries(pairs);
}

export function Otel({ label, hint, fault, value, onChange }: PartProps) {
  const all = (value as Exporter[] | null) ?? [];
  const set = (index: number, next: Partial<Exporter>) =>
    onChange(all.map((each, at) => (at === index ? { ...each, ...next } : each)));
  const drop = (index: number) => {
    const left = all.filter((_, at) => at !== index);
    onChange(left.length > 0 ? left : null);
  };
  return (
    <div className="stack stack-s">
      <div className="flag">
        <div>
          <div className="label">{label}</div>
          <div className="hint">{hint}</div>
          {fault ? <div className="fault">{fault}</div> : null}
        </div>
        <Button onClick={() => onChange([...all, { url: "", headers: {}, content_type: "json" }])}>
          <Plus size={14} aria-hidden /> Exporter
        </Button>
      </div>
      {all.map((exporter, index) => (
        <fieldset key={index} className="nested">
          <legend className="visually-hidden">Exporter {index + 1}</legend>
          <TextField
            label="URL"
            type="url"
            placeholder="https://collector.example/v1/traces"
            value={exporter.url}
            required
            onChange={(event) => set(index, { url: event.target.value })}
          />
          <div className="cols-2">
            <TextField
              label="Authorization"
              hint="Name of a stored secret, never the secret itself."
              value={exporter.authorization ?? ""}
              onChange={(event) => set(index, { authorization: event.target.value })}
            />
            <SelectField
              label="Encoding"
              options={FORMS}
              value={exporter.content_type ?? "json"}
              onChange={(event) => set(index, { content_type: event.target.value })}
            />
          </div>
          <TextField
            label="Headers"
            placeholder="x-team: a, x-env: prod"
            defaultValue={written(exporter.headers)}
            onBlur={(event) => set(index, { headers: readHeaders(event.target.value) })}
          />
          <div>
            <Button small look="danger" onClick={() => drop(index)}>
              <Trash2 size={13} aria-hidden /> Remove
            </Button>
          </div>
        </fieldset>
      ))}
    </div>
  );
}
