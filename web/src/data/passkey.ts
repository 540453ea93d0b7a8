// Passkeys (WebAuthn). The hub's options and answers are JSON with base64url; the browser wants and gives bytes.
import { call, type CallOptions } from './api';

export const toBase64Url = (bytes: ArrayBuffer): string => btoa(String.fromCharCode(...new Uint8Array(bytes)))
  .replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
export const fromBase64Url = (text: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (c) => c.charCodeAt(0));

export type Obstacle = 'needsName' | 'needsHttps' | 'unsupported';

/** Why passkeys do not work at this address or in this browser; undefined if they do. */
export function obstacle(at: { hostname: string; isSecure: boolean; hasPasskeys: boolean } = { hostname: location.hostname,
  isSecure: isSecureContext, hasPasskeys: 'PublicKeyCredential' in globalThis }): Obstacle | undefined {
  if (/^[\d.]+$/.test(at.hostname) || at.hostname.includes(':')) return 'needsName';
  if (!at.isSecure) return 'needsHttps';
  return at.hasPasskeys ? undefined : 'unsupported';
}

interface Descriptor { type: 'public-key'; id: string }
const descriptorsOf = (list: Descriptor[]) => list.map(({ type, id }) => ({ type, id: fromBase64Url(id) }));

const kSignIn: CallOptions = { isSignIn: true };

/** What POST /v1/session takes as `passkey`. Throws Problem, or a DOMException if the person cancels. */
export async function askForPasskey(): Promise<object> {
  const options = await call<{ challenge: string; rpId: string; timeout: number;
    userVerification: UserVerificationRequirement; allowCredentials: Descriptor[] }>(
    'POST', '/v1/session/passkey-options', {}, kSignIn);
  const credential = await navigator.credentials.get({ publicKey: { ...options,
    challenge: fromBase64Url(options.challenge), allowCredentials: descriptorsOf(options.allowCredentials) } });
  const { id, response } = credential as PublicKeyCredential & { response: AuthenticatorAssertionResponse };
  return { id, response: { clientDataJSON: toBase64Url(response.clientDataJSON),
    authenticatorData: toBase64Url(response.authenticatorData), signature: toBase64Url(response.signature) } };
}

export interface Passkey { id: string; label: string; created_at: string; last_used_at: string | null }

/** Makes a passkey on this device and registers it. Throws like askForPasskey(). */
export async function addPasskey(label: string): Promise<Passkey> {
  const options = await call<Omit<PublicKeyCredentialCreationOptions, 'challenge' | 'user' | 'excludeCredentials'> & {
    challenge: string; user: { id: string; name: string; displayName: string }; excludeCredentials: Descriptor[] }>(
    'POST', '/v1/passkeys/options', {});
  const credential = await navigator.credentials.create({ publicKey: { ...options,
    challenge: fromBase64Url(options.challenge), user: { ...options.user, id: fromBase64Url(options.user.id) },
    excludeCredentials: descriptorsOf(options.excludeCredentials) } });
  const { id, response } = credential as PublicKeyCredential & { response: AuthenticatorAttestationResponse };
  const publicKey = response.getPublicKey();
  if (!publicKey) throw new DOMException('the browser does not say the public key', 'NotSupportedError');
  return call<Passkey>('POST', '/v1/passkeys', { label, credential: { id, response: {
    clientDataJSON: toBase64Url(response.clientDataJSON), authenticatorData: toBase64Url(response.getAuthenticatorData()),
    publicKey: toBase64Url(publicKey), publicKeyAlgorithm: response.getPublicKeyAlgorithm() } } });
}
