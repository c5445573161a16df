// What can be done with a logged request: send it again, take it elsewhere.

import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { Code2, FlaskConical, RotateCcw, Shuffle } from "lucide-react";
import { useEffect, useState } from "react";
import { gatewayQuery } from "../../api/queries";
import type { LogDetail } from "../../api/types";
import { askedOf, SNIPPET_LANGUAGES, type SnippetLanguage, snippet } from "../../lib/snippets";
import { dataPath, dataUrl, usePlace } from "../../place";
import { isTyping } from "../../shell/keys";
import { Button, copyText, Problem } from "../../ui/basics";
import { TextField } from "../../ui/forms";
import { Dialog, Menu, MenuItem } from "../../ui/overlays";
import { toast, toastError } from "../../ui/toasts";
import { FeedbackButtons } from "./FeedbackButtons";
import { replay } from "./replay";

export function Actions({ log, request }: { log: LogDetail; request: string | undefined }) {
  const place = usePlace();
  const navigate = useNavigate();
  const gateway = useQuery(gatewayQuery(place));
  const [busy, setBusy] = useState(false);
  const [other, setOther] = useState(false);
  const can = request !== undefined;

  async function again(model?: string) {
    if (request === undefined) return;
    setBusy(true);
    try {
      const { id, status } = await replay(place, log, request, model);
      toast(`Sent again: status ${status}`, status < 400 ? "good" : "bad");
      if (id)
        await navigate({
          to: "/g/$gateway/logs",
          params: { gateway: place.gateway },
          search: (now) => ({ ...now, log: id }),
        });
    } catch (error) {
      toastError(error);
    } finally {
      setBusy(false);
    }
  }

  async function copy(language: SnippetLanguage) {
    const url = dataUrl(place, `${log.provider}/${log.path}`);
    await copyText(snippet(language, askedOf(log, url, request ?? "", gateway.data?.authentication ?? false)));
    toast("Copied");
  }

  const play = () =>
    navigate({
      to: "/g/$gateway/playground",
      params: { gateway: place.gateway },
      search: { models: `${log.provider}/${log.model}`, log: log.id },
    });

  useEffect(() => {
    function heard(event: KeyboardEvent) {
      if (isTyping(event) || !can) return;
      if (event.key === "r") void again();
      if (event.key === "c") void copy("curl");
      if (event.key === "p") void play();
      if (event.key === "y") void copyText(location.href).then(() => toast("Link copied"));
    }
    addEventListener("keydown", heard);
    return () => removeEventListener("keydown", heard);
  });

  return (
    <div className="row">
      <Button small busy={busy} disabled={!can} onClick={() => again()}>
        <RotateCcw size={13} aria-hidden /> Replay <kbd>r</kbd>
      </Button>
      <Button small disabled={!can} onClick={() => setOther(true)}>
        <Shuffle size={13} aria-hidden /> Other model
      </Button>
      <Button small disabled={!can} onClick={() => void play()}>
        <FlaskConical size={13} aria-hidden /> Playground
      </Button>
      <Menu
        trigger={
          <Button small disabled={!can}>
            <Code2 size={13} aria-hidden /> Copy as
          </Button>
        }
      >
        {SNIPPET_LANGUAGES.map(([language, label]) => (
          <MenuItem key={language} onSelect={() => void copy(language)}>
            {label}
          </MenuItem>
        ))}
      </Menu>
      {can ? null : <span className="hint">The request's body is not there to be sent again.</span>}
      <span className="grow" />
      <FeedbackButtons log={log} />
      <OtherModel open={other} log={log} onClose={() => setOther(false)} onSend={again} />
    </div>
  );
}

function OtherModel({
  open,
  log,
  onClose,
  onSend,
}: {
  open: boolean;
  log: LogDetail;
  onClose: () => void;
  onSend: (model: string) => void;
}) {
  const [model, setModel] = useState(`${log.provider}/${log.model}`);
  const place = usePlace();
  return (
    <Dialog
      open={open}
      onClose={onClose}
      title="Replay on another model"
      note={`Sent to ${dataPath(place, "compat")}, which speaks to every provider.`}
    >
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          onClose();
          onSend(model);
        }}
      >
        {log.request_type === "chat" ? null : <Problem error="Only chat completions can be sent to another model." />}
        <TextField
          label="Model"
          hint="provider/model, or dynamic/route"
          value={model}
          onChange={(event) => setModel(event.target.value)}
          required
          autoFocus
        />
        <div className="dialog-foot">
          <Button onClick={onClose}>Cancel</Button>
          <Button look="primary" type="submit">
            Send
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
