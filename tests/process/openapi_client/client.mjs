// A client of the native API whose every path, parameter and body is checked against the generated types: pushes two
// records, reads them back, and prints what came as JSON. node client.mjs URL KEY
import createClient from "openapi-fetch";

/** @typedef {import("../../../clients/js/src/http/api_types.ts").paths} Paths */

const [url = "", key = ""] = process.argv.slice(2);
/** @type {import("openapi-fetch").Client<Paths>} */
const client = createClient({ baseUrl: url, headers: { Authorization: `Bearer ${key}` } });
const params = { path: { space: "typed" } };

const pushed = await client.POST("/v1/spaces/{space}/push", {
  params,
  body: {
    ops: [
      { collection: "notes", id: "n1", doc: { text: "hello" } },
      { collection: "notes", id: "n2", doc: { text: "world" } },
    ],
  },
});
if (pushed.error !== undefined) throw new Error(pushed.error.detail);

const seen = [];
let since = "0";
for (;;) {
  const page = await client.GET("/v1/spaces/{space}/changes", { params: { ...params, query: { since, limit: 1 } } });
  if (page.error !== undefined) throw new Error(page.error.detail);
  for (const record of page.data.changes) {
    if ("doc" in record && typeof record.doc === "object") seen.push(record.doc.text);
  }
  since = page.data.cursor;
  if (!page.data.more) break;
}

const missing = await client.GET("/v1/spaces/{space}/records/{collection}/{id}", {
  params: { path: { space: "typed", collection: "notes", id: "none" } },
});
/** Types that let this through would check nothing. */
export const misspelt = () =>
  // @ts-expect-error: an op has an id and no name
  client.POST("/v1/spaces/{space}/push", { params, body: { ops: [{ collection: "notes", name: "n1" }] } });

console.log(
  JSON.stringify({
    verdicts: pushed.data.results.map((one) => one.status),
    texts: seen,
    error: missing.error?.code,
  }),
);
