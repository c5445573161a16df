// What an empty page offers: a request that works when it is pasted.

import { useQuery } from "@tanstack/react-query";
import { Rocket } from "lucide-react";
import { useState } from "react";
import { gatewayQuery } from "../api/queries";
import { dataUrl, usePlace } from "../place";
import { Code, Empty } from "./basics";
import { Segmented } from "./forms";

type Language = "curl" | "python" | "typescript";

const LANGUAGES = [
  ["curl", "curl"],
  ["python", "Python"],
  ["typescript", "TypeScript"],
] as const;

export function firstRequest(language: Language, base: string, locked: boolean): string {
  const url = `${base}/sandbox/v1`;
  const header = "cf-aig-authorization";
  if (language === "curl") {
    const auth = locked ? ` \\\n  -H "${header}: Bearer $TOLLGATE_TOKEN"` : "";
    return `curl ${url}/chat/completions \\
  -H 'content-type: application/json'${auth} \\
  -d '{"model":"sandbox-1","messages":[{"role":"user","content":"Hello"}]}'`;
  }
  if (language === "python") {
    const auth = locked ? `, default_headers={"${header}": "Bearer " + os.environ["TOLLGATE_TOKEN"]}` : "";
    return `${locked ? "import os\n" : ""}from openai import OpenAI

client = OpenAI(base_url="${url}", api_key="none"${auth})
answer = client.chat.completions.create(
    model="sandbox-1", messages=[{"role": "user", "content": "Hello"}]
)
print(answer.choices[0].message.content)`;
  }
  const auth = locked ? `,\n  defaultHeaders: { "${header}": "Bearer " + process.env.TOLLGATE_TOKEN }` : "";
  return `import OpenAI from "openai";

const client = new OpenAI({
  baseURL: "${url}",
  apiKey: "none"${auth},
});
const answer = await client.chat.completions.create({
  model: "sandbox-1",
  messages: [{ role: "user", content: "Hello" }],
});
console.log(answer.choices[0].message.content);`;
}

export function FirstRequest({ title, children }: { title: string; children?: React.ReactNode }) {
  const place = usePlace();
  const gateway = useQuery(gatewayQuery(place));
  const [language, setLanguage] = useState<Language>("curl");
  return (
    <Empty icon={<Rocket size={28} aria-hidden />} title={title}>
      <p>
        {children ??
          "Send a request through this gateway. The provider “sandbox” is built in: it needs no key and no network."}
      </p>
      <Segmented label="Language" value={language} options={LANGUAGES} onChange={setLanguage} />
      <Code
        text={firstRequest(language, dataUrl(place), gateway.data?.authentication ?? false)}
        label="the first request"
      />
    </Empty>
  );
}
