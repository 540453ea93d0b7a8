// Calls the gateway with OpenAI's own client: node client.mjs URL KEY STEP, prints what came of it as JSON.
import OpenAI from "openai";

const [url, key, step, model] = process.argv.slice(2);
const client = new OpenAI({ baseURL: url, apiKey: key, maxRetries: 0 });
const messages = [{ role: "user", content: "hi" }];
const tools = [{ type: "function", function: { name: "f", parameters: { type: "object", properties: {} } } }];

async function all(stream) {
  const pieces = [];
  for await (const piece of stream) pieces.push(piece);
  return pieces;
}

const steps = {
  models: async () => (await client.models.list()).data.map((one) => one.id),
  plain: () => client.chat.completions.create({ model, messages }),
  limited: () => client.chat.completions.create({ model, messages, max_tokens: 55 }),
  tools: () => client.chat.completions.create({ model, messages, tools }),
  stream: async () =>
    all(await client.chat.completions.create({ model, messages, stream: true, stream_options: { include_usage: true } })),
  embeddings: () => client.embeddings.create({ model, input: ["hi"] }),
  responses: () => client.responses.create({ model, input: "hi" }),
  response_stream: async () => all(await client.responses.create({ model, input: "hi", stream: true })),
};

try {
  console.log(JSON.stringify({ answer: await steps[step]() }));
} catch (error) {
  console.log(JSON.stringify({ error: error.constructor.name, status: error.status, code: error.code, message: error.message }));
}
