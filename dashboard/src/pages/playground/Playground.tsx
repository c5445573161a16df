// Up to four models answer the same question side by side.

import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { Code2, Plus, Send, Square } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { gatewayQuery, logBodyQuery } from "../../api/queries";
import { requestTurns } from "../../lib/conversation";
import { dataUrl, usePlace } from "../../place";
import { playgroundRoute } from "../../router";
import { Button, Card, Code, PageHead } from "../../ui/basics";
import { AreaField, Segmented, TextField } from "../../ui/forms";
import { Dialog } from "../../ui/overlays";
import { Column } from "./Column";
import { CODE_LANGUAGES, type CodeLanguage, code } from "./code";
import { useModels } from "./models";
import { type Asking, type Outcome, run } from "./run";

const MODELS_MAX = 4;

export function Playground() {
  const place = usePlace();
  const search = playgroundRoute.useSearch();
  const navigate = useNavigate();
  const models = search.models.split(",").filter(Boolean);
  const go = (next: Partial<typeof search>) =>
    navigate({
      to: "/g/$gateway/playground",
      params: { gateway: place.gateway },
      search: (now) => ({ ...now, ...next }),
      replace: true,
    });
  const [outcomes, setOutcomes] = useState<Record<number, Outcome>>({});
  const [showing, setShowing] = useState(false);
  const stop = useRef<AbortController>(null);
  const { system, prompt } = search;
  useLogged(search.log, (said) => go({ ...said, log: undefined }));
  useEffect(() => () => stop.current?.abort(), []);
  const busy = Object.values(outcomes).some(({ state }) => state === "asking");
  const known = useModels();

  const asking = (model: string): Asking => ({
    model,
    system,
    messages: [{ role: "user", content: prompt }],
    temperature: search.temperature,
    maxTokens: search.max,
  });

  function ask() {
    if (!prompt.trim() || models.length === 0) return;
    const control = new AbortController();
    stop.current = control;
    setOutcomes({});
    models.forEach((model, index) => {
      void run(place, asking(model), control.signal, (outcome) => setOutcomes((now) => ({ ...now, [index]: outcome })));
    });
  }

  return (
    <div className="page">
      <PageHead
        title="Playground"
        actions={
          <>
            <Button onClick={() => setShowing(true)}>
              <Code2 size={15} aria-hidden /> View code
            </Button>
            <Button
              disabled={models.length >= MODELS_MAX}
              onClick={() =>
                go({ models: [...models, known[models.length % known.length] ?? "sandbox/sandbox-1"].join(",") })
              }
            >
              <Plus size={15} aria-hidden /> Compare another
            </Button>
          </>
        }
      >
        The same question to up to four models, through this gateway: limits, cache, routes and the log apply.
      </PageHead>
      <datalist id="models">
        {known.map((model) => (
          <option key={model} value={model} />
        ))}
      </datalist>
      <Card>
        <form
          className="stack"
          onSubmit={(event) => {
            event.preventDefault();
            ask();
          }}
        >
          <div className="ask-grid">
            <AreaField
              label="Message"
              rows={4}
              required
              value={prompt}
              placeholder="Ask something"
              onChange={(event) => go({ prompt: event.target.value })}
              onKeyDown={(event) => {
                if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) ask();
              }}
            />
            <AreaField
              label="System"
              rows={4}
              value={system}
              placeholder="none"
              onChange={(event) => go({ system: event.target.value })}
            />
            <div className="stack stack-s">
              <TextField
                label="Temperature"
                type="number"
                min={0}
                max={2}
                step={0.1}
                placeholder="the model's"
                value={search.temperature === undefined ? "" : String(search.temperature)}
                onChange={(event) =>
                  go({ temperature: event.target.value === "" ? undefined : Number(event.target.value) })
                }
              />
              <TextField
                label="Most tokens"
                type="number"
                min={1}
                placeholder="the model's"
                value={search.max === undefined ? "" : String(search.max)}
                onChange={(event) => go({ max: event.target.value === "" ? undefined : Number(event.target.value) })}
              />
            </div>
          </div>
          <div className="row">
            {busy ? (
              <Button onClick={() => stop.current?.abort()}>
                <Square size={13} aria-hidden /> Stop
              </Button>
            ) : (
              <Button look="primary" type="submit">
                <Send size={14} aria-hidden /> Send <kbd>Ctrl ↵</kbd>
              </Button>
            )}
          </div>
        </form>
      </Card>
      <div className="columns" data-count={models.length}>
        {models.map((model, index) => (
          <Column
            key={index}
            number={index + 1}
            model={model}
            outcome={outcomes[index]}
            onModel={(next) => go({ models: models.map((each, at) => (at === index ? next : each)).join(",") })}
            onClose={
              models.length > 1 ? () => go({ models: models.filter((_, at) => at !== index).join(",") }) : undefined
            }
          />
        ))}
      </div>
      {showing ? (
        <CodeDialog asking={asking(models[0] ?? "sandbox/sandbox-1")} onClose={() => setShowing(false)} />
      ) : null}
    </div>
  );
}

/** A log's question, when the page was opened from one. */
function useLogged(id: string | undefined, take: (said: { system: string; prompt: string }) => void) {
  const place = usePlace();
  const body = useQuery({ ...logBodyQuery(place, id ?? "", "request"), enabled: id !== undefined });
  const took = useRef(take);
  took.current = take;
  useEffect(() => {
    if (!id || !body.data) return;
    const turns = requestTurns(body.data);
    const words = (role: string) =>
      turns.filter((turn) => turn.role === role).flatMap(({ parts }) => parts.map(({ text }) => text));
    took.current({ system: words("system").join("\n"), prompt: words("user").at(-1) ?? "" });
  }, [id, body.data]);
}

function CodeDialog({ asking, onClose }: { asking: Asking; onClose: () => void }) {
  const place = usePlace();
  const gateway = useQuery(gatewayQuery(place));
  const [language, setLanguage] = useState<CodeLanguage>("curl");
  return (
    <Dialog open onClose={onClose} wide title="The same in code" note="Keys stand as names of environment variables.">
      <div>
        <Segmented label="Language" value={language} options={CODE_LANGUAGES} onChange={setLanguage} />
      </div>
      <Code
        text={code(language, dataUrl(place, "compat"), asking, gateway.data?.authentication ?? false)}
        label="the code"
      />
    </Dialog>
  );
}
