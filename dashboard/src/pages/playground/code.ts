// The playground's question as a program.

import { type Asking, requestBody } from "./run";

export type CodeLanguage = "curl" | "python" | "typescript" | "ai-sdk";

export const CODE_LANGUAGES: readonly (readonly [CodeLanguage, string])[] = [
  ["curl", "curl"],
  ["python", "OpenAI Python"],
  ["typescript", "OpenAI TypeScript"],
  ["ai-sdk", "AI SDK"],
];

const HEADER = "cf-aig-authorization";
const text = JSON.stringify;

export function code(language: CodeLanguage, base: string, asking: Asking, locked: boolean): string {
  const { stream_options: _, stream: __, ...body } = requestBody(asking);
  switch (language) {
    case "curl": {
      const auth = locked ? ` \\\n  -H "${HEADER}: Bearer $TOLLGATE_TOKEN"` : "";
      const said = JSON.stringify(body, null, 2).replaceAll("'", "'\\''");
      return `curl ${base}/chat/completions \\\n  -H 'content-type: application/json' \\\n  -H "authorization: Bearer $PROVIDER_KEY"${auth} \\\n  --data-raw '${said}'`;
    }
    case "python": {
      const auth = locked ? `,\n    default_headers={${text(HEADER)}: "Bearer " + os.environ["TOLLGATE_TOKEN"]}` : "";
      const rest = [
        asking.temperature === undefined ? "" : `    temperature=${asking.temperature},\n`,
        asking.maxTokens === undefined ? "" : `    max_tokens=${asking.maxTokens},\n`,
      ].join("");
      return `import os\nfrom openai import OpenAI\n\nclient = OpenAI(\n    base_url=${text(base)},\n    api_key=os.environ["PROVIDER_KEY"]${auth},\n)\nanswer = client.chat.completions.create(\n    model=${text(asking.model)},\n    messages=${text(body.messages)},\n${rest})\nprint(answer.choices[0].message.content)`;
    }
    case "typescript": {
      const auth = locked ? `\n  defaultHeaders: { ${text(HEADER)}: "Bearer " + process.env.TOLLGATE_TOKEN },` : "";
      return `import OpenAI from "openai";\n\nconst client = new OpenAI({\n  baseURL: ${text(base)},\n  apiKey: process.env.PROVIDER_KEY,${auth}\n});\nconst answer = await client.chat.completions.create(${JSON.stringify(body, null, 2)});\nconsole.log(answer.choices[0].message.content);`;
    }
    case "ai-sdk": {
      const auth = locked ? `\n  headers: { ${text(HEADER)}: "Bearer " + process.env.TOLLGATE_TOKEN },` : "";
      return `import { createOpenAICompatible } from "@ai-sdk/openai-compatible";\nimport { generateText } from "ai";\n\nconst tollgate = createOpenAICompatible({\n  name: "tollgate",\n  baseURL: ${text(base)},\n  apiKey: process.env.PROVIDER_KEY,${auth}\n});\nconst { text } = await generateText({\n  model: tollgate(${text(asking.model)}),\n  messages: ${text(body.messages)},\n});\nconsole.log(text);`;
    }
  }
}
