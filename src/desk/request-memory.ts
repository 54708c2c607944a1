// Requests that were carried out under a name, so that the same one may be sent again without being done again.
//
// 1. A name stands for one request: another one under the same name is refused.
// 2. A request that is refused leaves its name free.

import { canonicalJson, sha256Hex } from '../domain/canonical-json.ts';
import type { DeskPut, DeskStore } from '../ports/desk-store.ts';
import { decodeRecord, type RequestRecord, requestRecord, toJson } from './records.ts';

/** Requests of late, at hand without the store. */
const KEPT = 10_000;

export interface NamedRequest {
  /** Who asks: names are theirs. */
  readonly operator: string;
  readonly requestId: string;
  /** What is asked. */
  readonly content: object;
}

export class RequestMemory {
  readonly #store: DeskStore;
  readonly #recent = new Map<string, RequestRecord>();

  constructor(store: DeskStore) {
    this.#store = store;
  }

  /** Brings back what the store has under the name. To be waited for before `find`. */
  async recall(request: NamedRequest): Promise<void> {
    const key = keyOf(request);
    if (this.#recent.has(key)) return;
    const value = await this.#store.read('request', key);
    if (value !== undefined && !this.#recent.has(key))
      this.#remember(key, decodeRecord(requestRecord, value, 'request'));
  }

  /** The operation of the same request; `conflict` where another request had the name. */
  find(request: NamedRequest): { readonly operation: string } | 'conflict' | undefined {
    const known = this.#recent.get(keyOf(request));
    if (known === undefined) return undefined;
    return known.fingerprint === fingerprintOf(request) ? { operation: known.operation } : 'conflict';
  }

  /** To be written with the operation. */
  note(request: NamedRequest, operation: string, at: string): DeskPut {
    const record: RequestRecord = { fingerprint: fingerprintOf(request), operation, at };
    this.#remember(keyOf(request), record);
    return { kind: 'request', key: keyOf(request), value: toJson(record) };
  }

  #remember(key: string, record: RequestRecord): void {
    this.#recent.set(key, record);
    if (this.#recent.size <= KEPT) return;
    for (const oldest of this.#recent.keys()) {
      this.#recent.delete(oldest);
      break;
    }
  }
}

/** Names of any length and spelling make keys of one. */
const keyOf = ({ operator, requestId }: NamedRequest): string => sha256Hex(canonicalJson([operator, requestId]));

const fingerprintOf = ({ content }: NamedRequest): string => sha256Hex(canonicalJson(toJson(content)));
