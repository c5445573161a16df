// One component for each resource, for the router.

import { RESOURCES } from "./all";
import type { Resource } from "./kinds";
import { ResourcePage } from "./ResourcePage";

const page = (id: string) => {
  const resource = RESOURCES.find((each) => each.id === id) as Resource;
  return () => <ResourcePage key={id} resource={resource} />;
};

export const Tokens = page("tokens");
export const Keys = page("provider-keys");
export const CustomProviders = page("custom-providers");
export const Policies = page("policies");
export const Datasets = page("datasets");
export const Evaluations = page("evaluations");
export const Alerts = page("alerts");
export const Audit = page("audit");
