import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { listLogs } from "../../api/queries";
import { usePlace } from "../../place";
import { routesQuery } from "../routes/data";

const USUAL = [
  "sandbox/sandbox-1",
  "sandbox/sandbox-fast",
  "openai/gpt-5-mini",
  "anthropic/claude-sonnet-5",
  "google-ai-studio/gemini-3-flash",
  "cloudflare/auto",
];

/** What to offer: models that this gateway asked lately, its routes, and a few that most people have. */
export function useModels(): string[] {
  const place = usePlace();
  const logs = useQuery({
    queryKey: ["models", place.gateway],
    queryFn: async ({ signal }) => (await listLogs(place, { q: "status:success" }, 1, signal)).rows,
    staleTime: 60_000,
  });
  const routes = useQuery(routesQuery(place));
  return useMemo(() => {
    const asked = (logs.data ?? [])
      .filter(({ model }) => model)
      .map(({ provider, model }) => `${provider}/${model.split(":")[0]}`);
    const named = (routes.data ?? []).map(({ name }) => `dynamic/${name}`);
    return [...new Set([...named, ...asked, ...USUAL])];
  }, [logs.data, routes.data]);
}
