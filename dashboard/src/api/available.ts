// What this gateway can do: pages whose endpoints are not there are not offered.

import { queryOptions, useQuery } from "@tanstack/react-query";

const openapiQuery = queryOptions({
  queryKey: ["openapi"],
  queryFn: async ({ signal }): Promise<Set<string>> => {
    const response = await fetch("/client/v4/openapi.json", { signal });
    const document = response.ok ? await response.json() : { paths: {} };
    return new Set(Object.keys(document.paths ?? {}));
  },
  staleTime: Number.POSITIVE_INFINITY,
});

/** Whether the API has a path, in the form of its OpenAPI document. Not known yet: no. */
export function useAvailable(): (path: string | undefined) => boolean {
  const paths = useQuery(openapiQuery).data;
  return (path) => path === undefined || (paths?.has(path) ?? false);
}
