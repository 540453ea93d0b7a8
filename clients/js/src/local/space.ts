// One space of the local copy, as a program sees it.
import type { CallOptions } from '../http/call.js';
import type { Doc } from '../http/types.js';
import { spacePath } from '../replica/wire.js';
import { Collection, type SpaceParts } from './collection.js';
import type { Conflict, HubAccess } from './conflicts.js';

export class Space {
  constructor(private readonly hub: HubAccess, private readonly parts: SpaceParts) {}

  get name(): string {
    return this.parts.local.name;
  }
  collection<T extends object = Doc>(name: string): Collection<T> {
    return new Collection<T>(name, this.parts);
  }
  /** What the hub keeps of edits that lost; asks the hub. */
  async conflicts<T = Doc>(options: CallOptions = {}): Promise<Conflict<T>[]> {
    // Whoever needs the hub can load this too: pages open sooner without it.
    return (await import('./conflicts.js')).listConflicts(this.hub, `${spacePath(this.name)}/conflicts`, options);
  }
}
