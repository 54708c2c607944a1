// The people of the site, and how a clerk finds one: by a part of the name in whatever script, by id, by department.
//
// Text is compared in Unicode's compatibility form and without regard to case, so that full-width letters and accents typed in two
// ways find the same person. Everybody is looked at: a hundred thousand names take some milliseconds, and no index can be out of date.

import type { Employee } from './records.ts';

/** As a search compares text. */
export const foldText = (text: string): string => text.normalize('NFKC').toLowerCase().trim();

interface Entry {
  readonly employee: Employee;
  /** Id, name and department, folded, each on a line. */
  readonly text: string;
}

export interface SearchOptions {
  readonly limit: number;
  readonly status?: Employee['status'] | undefined;
}

export class People {
  readonly #entries = new Map<string, Entry>();

  get size(): number {
    return this.#entries.size;
  }

  find(id: string): Employee | undefined {
    return this.#entries.get(id)?.employee;
  }

  put(employee: Employee): void {
    const { id, name, department = '' } = employee;
    this.#entries.set(id, { employee, text: [id, name, department].map(foldText).join('\n') });
  }

  *all(): Generator<Employee> {
    for (const { employee } of this.#entries.values()) yield employee;
  }

  /**
   * People in whom every word of `text` occurs: who has the text as id first, then those whose name begins with it, then the others,
   * each group in the order in which they came to the desk.
   */
  search(text: string, { limit, status }: SearchOptions): readonly Employee[] {
    const folded = foldText(text);
    const words = folded.split(/\s+/).filter((word) => word !== '');
    const groups: [Employee[], Employee[], Employee[]] = [[], [], []];
    for (const { employee, text: searched } of this.#entries.values()) {
      if (status !== undefined && employee.status !== status) continue;
      if (!words.every((word) => searched.includes(word))) continue;
      const group = groups[rankOf(folded, searched)];
      if (group !== undefined && group.length < limit) group.push(employee);
    }
    return groups.flat().slice(0, limit);
  }
}

const rankOf = (folded: string, searched: string): number => {
  if (searched.startsWith(`${folded}\n`)) return 0;
  return folded !== '' && searched.includes(`\n${folded}`) ? 1 : 2;
};
