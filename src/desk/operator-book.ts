// The accounts, in memory as the store has them. A change counts at once, before it is written: of two changes that contradict each
// other, the second one finds the first.

import type { DeskPut, DeskStore } from '../ports/desk-store.ts';
import { foldText } from './people.ts';
import type { Role } from './permissions.ts';
import { decodeRecord, type OperatorRecord, operatorRecord, toJson } from './records.ts';

export class OperatorBook {
  readonly #records = new Map<string, OperatorRecord>();

  /** Rejects with CardeaError `store-record-unreadable`. */
  static async load(store: DeskStore): Promise<OperatorBook> {
    const book = new OperatorBook();
    for await (const [key, value] of store.entries('operator')) {
      book.#records.set(key, decodeRecord(operatorRecord, value, `operator ${key}`));
    }
    return book;
  }

  get size(): number {
    return this.#records.size;
  }

  /** By name, however it is written: Li and li are one. */
  find(name: string): OperatorRecord | undefined {
    return this.#records.get(foldText(name));
  }

  /** By name. */
  all(): readonly OperatorRecord[] {
    return [...this.#records].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, record]) => record);
  }

  put(record: OperatorRecord): DeskPut {
    const key = foldText(record.name);
    this.#records.set(key, record);
    return { kind: 'operator', key, value: toJson(record) };
  }

  remove({ name }: OperatorRecord): DeskPut {
    const key = foldText(name);
    this.#records.delete(key);
    return { kind: 'operator', key, value: undefined };
  }

  /** Somebody may change operators. */
  get hasAdmin(): boolean {
    return [...this.#records.values()].some(isAdmin);
  }

  /** Nobody could change operators without this one. */
  isLastAdmin(record: OperatorRecord): boolean {
    return isAdmin(record) && this.all().filter(isAdmin).length === 1;
  }
}

export const isAdmin = ({
  roles,
  isDisabled,
}: {
  readonly roles: readonly Role[];
  readonly isDisabled: boolean;
}): boolean => roles.includes('admin') && !isDisabled;
