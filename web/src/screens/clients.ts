// The clients that a hub is made for: what their keys may do, and what to enter where.
import { t } from '../text';

export interface Client {
  id: string;
  name: string;
  what: string;
  label: string;
  scopes: readonly string[];
  /** Its keys must be UUIDs. */
  needsUuid?: boolean;
  /** Lines to copy. */
  steps: (origin: string, key: string) => string[];
  says?: string;
}

export const clients: readonly Client[] = [
  { id: 'kaisho', name: 'Kaisho', label: 'desktop', scopes: ['read', 'write'], needsUuid: true,
    get what() { return t.clients.kaisho; }, steps: (origin) => [origin], get says() { return t.clients.kaishoSteps; } },
  { id: 'kernle', name: 'Kernle', label: 'kernle', scopes: ['read', 'write', 'keys'], get what() { return t.clients.kernle; },
    steps: (origin, key) => [`kernle auth login -b ${origin} -k ${key}`, 'kernle -s AGENT sync push'] },
  { id: 'kiro', name: 'Kiro', label: 'ide', scopes: ['read', 'write', 'commands:submit'], get what() { return t.clients.kiro; },
    steps: (origin, key) => [`curl -H "Authorization: Bearer ${key}" ${origin}/sync`] },
  { id: 'node', get name() { return t.clients.nodeName; }, label: 'node', scopes: ['read', 'write'], get what() { return t.clients.node; },
    steps: (origin, key) => ['syncline node &', `syncline login ${origin} --key ${key}`] },
];
