import base from "./playwright.config";

// `npm run screenshots`: every page in both themes, into docs/screenshots.
export default { ...base, testDir: "screenshots", testMatch: "*.shot.ts", reporter: "list" };
