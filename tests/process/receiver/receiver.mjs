// Receives webhooks and verifies them with the published library. Prints one JSON line for each request.
//
//   node receiver.mjs PORT SECRET [MODE]
//
// MODE: ok (200), fail (500), gone (410), redirect (302 to a path that would say 200), slow (never answers).
import http from "node:http";
import { Webhook } from "standardwebhooks";

const [port, secret, mode = "ok"] = process.argv.slice(2);
const webhook = new Webhook(secret);
const statuses = { ok: 200, fail: 500, gone: 410, redirect: 302 };

const server = http.createServer((request, response) => {
  const pieces = [];
  request.on("data", (piece) => pieces.push(piece));
  request.on("end", () => {
    const body = Buffer.concat(pieces).toString();
    const seen = { path: request.url, id: request.headers["webhook-id"], body: null, verified: false };
    try {
      seen.body = webhook.verify(body, request.headers);
      seen.verified = true;
    } catch (error) {
      seen.error = String(error);
    }
    console.log(JSON.stringify(seen));
    if (mode === "slow") return;
    response.writeHead(statuses[mode], mode === "redirect" ? { Location: "/elsewhere" } : {});
    response.end("thanks");
  });
});
server.listen(Number(port), "127.0.0.1", () => console.log(JSON.stringify({ listening: server.address().port })));
