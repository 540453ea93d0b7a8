// An OpenID Connect provider that signs in whoever it is told to, with the published library.
//
//   node provider.mjs PORT REDIRECT_URI ALGORITHM METHOD [only_userinfo]
//
// ALGORITHM: of ID tokens. METHOD: how the client shows its secret ("none": it has none). Standard input: one line of
// JSON for the person who comes next, {"sub", "email", "email_verified"}, or {"error"} if nobody is let in. With
// only_userinfo the ID token has no address.
import { generateKeyPairSync } from "node:crypto";
import readline from "node:readline";
import Provider from "oidc-provider";

const [port, redirectUri, algorithm, method] = process.argv.slice(2);
const issuer = `http://127.0.0.1:${port}`;
const people = new Map();
let next = { error: "access_denied" };

const makeKey = () => {
  if (algorithm === "RS256") return generateKeyPairSync("rsa", { modulusLength: 2048 });
  if (algorithm === "ES256") return generateKeyPairSync("ec", { namedCurve: "P-256" });
  return generateKeyPairSync("ed25519");
};
const keys = [{ ...makeKey().privateKey.export({ format: "jwk" }), alg: algorithm, use: "sig", kid: "signing" }];
const claimsOf = (id) => ({ sub: id, ...people.get(id) });

const client = {
  client_id: "syncline",
  redirect_uris: [redirectUri],
  grant_types: ["authorization_code"],
  response_types: ["code"],
  id_token_signed_response_alg: algorithm,
  token_endpoint_auth_method: method,
};
if (method !== "none") client.client_secret = "a secret: with + and / and 100%";

const makeProvider = (onlyUserinfo) => {
  const provider = new Provider(issuer, {
    clients: [client],
    jwks: { keys },
    claims: { openid: ["sub"], email: ["email", "email_verified"] },
    conformIdTokenClaims: onlyUserinfo,
    pkce: { required: () => true, methods: ["S256"] },
    features: { devInteractions: { enabled: false } },
    interactions: { url: (context, interaction) => `/interaction/${interaction.uid}` },
    findAccount: (context, id) => ({ accountId: id, claims: () => claimsOf(id) }),
    cookies: { keys: ["a key of this test"] },
  });
  provider.use(async (context, goOn) => {
    if (!context.path.startsWith("/interaction/")) return goOn();
    const { prompt, params, session } = await provider.interactionDetails(context.req, context.res);
    let result = { error: next.error };
    if (!next.error && prompt.name === "login") result = { login: { accountId: next.sub, remember: false } };
    if (!next.error && prompt.name === "consent") {
      const grant = new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
      grant.addOIDCScope("openid email");
      result = { consent: { grantId: await grant.save() } };
    }
    context.respond = false;
    await provider.interactionFinished(context.req, context.res, result, { mergeWithLastSubmission: true });
  });
  provider.on("server_error", (context, error) => console.error(error));
  return provider;
};

readline.createInterface({ input: process.stdin }).on("line", (line) => {
  next = JSON.parse(line);
  if (next.sub) people.set(next.sub, { email: next.email, email_verified: next.email_verified });
  console.log(JSON.stringify({ next }));
});
const onlyUserinfo = process.argv.includes("only_userinfo");
makeProvider(onlyUserinfo).listen(Number(port), "127.0.0.1", () => console.log(JSON.stringify({ listening: issuer })));
