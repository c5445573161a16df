import { useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { call } from "../../api/client";
import type { Route, RouteElement, RouteVersion } from "../../api/types";
import { diffLines } from "../../lib/diff";
import { ago, fullTime } from "../../lib/format";
import { usePlace } from "../../place";
import { Badge, Button, Problem, Skeleton } from "../../ui/basics";
import { Dialog } from "../../ui/overlays";
import { toast } from "../../ui/toasts";
import { deploymentsQuery, routePath, versionElements, versionsQuery } from "./data";

interface Props {
  route: Route;
  draft: RouteElement[];
  onTake: (elements: RouteElement[]) => void;
  onDeployed: () => Promise<void>;
}

export function Versions({ route, draft, onTake, onDeployed }: Props) {
  const place = usePlace();
  const versions = useQuery(versionsQuery(place, route.id));
  const deployments = useQuery(deploymentsQuery(place, route.id));
  const [compared, setCompared] = useState<RouteVersion | null>(null);
  const deploy = useMutation({
    mutationFn: (version_id: string) => call("POST", `${routePath(place, route.id)}/deployments`, { version_id }),
    onSuccess: async () => {
      await onDeployed();
      toast("Deployed");
    },
  });
  if (versions.isPending) return <Skeleton height={120} />;
  const deployed = route.version?.version_id;
  return (
    <div className="stack">
      <Problem error={versions.error ?? deploy.error} />
      <ol className="versions">
        {(versions.data ?? []).map((version, index, all) => (
          <li key={version.version_id}>
            <div className="row row-apart">
              <span className="row">
                <b className="num">v{all.length - index}</b>
                {version.version_id === deployed ? (
                  <Badge tone="good" dot>
                    deployed
                  </Badge>
                ) : null}
              </span>
              <span className="hint" title={fullTime(version.created_at)}>
                {ago(version.created_at)}
              </span>
            </div>
            <div className="row">
              <Button small onClick={() => setCompared(version)}>
                Compare
              </Button>
              <Button small onClick={() => onTake(versionElements(version))}>
                Open in the editor
              </Button>
              {version.version_id === deployed ? null : (
                <Button small busy={deploy.isPending} onClick={() => deploy.mutate(version.version_id)}>
                  {index > all.findIndex(({ version_id }) => version_id === deployed) ? "Roll back to it" : "Deploy"}
                </Button>
              )}
            </div>
          </li>
        ))}
      </ol>
      <h3>Deployments</h3>
      <ol className="steps">
        {(deployments.data ?? []).map(({ deployment_id, version_id, created_at }) => (
          <li key={deployment_id}>
            <span className="num">{fullTime(created_at)}</span>
            <code className="hint">{version_id.slice(0, 8)}</code>
          </li>
        ))}
      </ol>
      {compared ? <Compare version={compared} draft={draft} onClose={() => setCompared(null)} /> : null}
    </div>
  );
}

const MARKS = { same: " ", added: "+", removed: "−" } as const;

function Compare({ version, draft, onClose }: { version: RouteVersion; draft: RouteElement[]; onClose: () => void }) {
  const lines = diffLines(JSON.stringify(versionElements(version), null, 2), JSON.stringify(draft, null, 2));
  const differs = lines.some(({ kind }) => kind !== "same");
  return (
    <Dialog
      open
      onClose={onClose}
      wide
      title="From that version to the editor"
      note={differs ? "Lines with − are only in the version, lines with + only in the editor." : "They are the same."}
    >
      {/* what scrolls must be reachable by keyboard */}
      <pre className="diff" tabIndex={0}>
        {lines.map(({ kind, text }, index) => (
          <span key={index} className={`diff-${kind}`}>
            {`${MARKS[kind]} ${text}\n`}
          </span>
        ))}
      </pre>
    </Dialog>
  );
}
