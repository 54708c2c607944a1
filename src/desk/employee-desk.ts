// What operators do with the list of people. None of it reaches a gateway: cards do that (CardDesk). Who is to leave goes through
// there, too, so that their cards stop in the same instant.

import { parseCardholderId } from '../domain/ids.ts';
import { formatInstant } from '../domain/units.ts';
import type { Clock } from '../ports/clock.ts';
import type { AuditTrail } from './audit-trail.ts';
import { employeePut } from './card-desk.ts';
import type { Actor } from './card-requests.ts';
import type { DeskState } from './desk-state.ts';
import type { DeskWriter } from './desk-writer.ts';
import { DESK_ACTIONS, type DeskAction, mayDo } from './permissions.ts';
import type { Access, Employee } from './records.ts';
import { done, type Outcome, type Refusal } from './refusal.ts';

export interface NewEmployee {
  readonly id: string;
  readonly name: string;
  readonly department?: string | undefined;
  /** What the person's cards open; default: what the desk's configuration says. */
  readonly access?: Access | undefined;
}

export interface EmployeeChange extends Pick<NewEmployee, 'department' | 'access'> {
  readonly name?: string | undefined;
}

export interface ImportOutcome {
  readonly added: number;
  readonly changed: number;
  readonly unchanged: number;
}

export interface EmployeeDeskDependencies {
  readonly state: DeskState;
  readonly writer: DeskWriter;
  readonly audit: AuditTrail;
  readonly clock: Clock;
  readonly defaultAccess: Access;
}

/** As the contract has it for a cardholder's name and department. */
const MOST_CHARACTERS = 200;

export class EmployeeDesk {
  readonly #deps: EmployeeDeskDependencies;

  constructor(deps: EmployeeDeskDependencies) {
    this.#deps = deps;
  }

  async add(request: NewEmployee, actor: Actor): Promise<Outcome<Employee>> {
    const fault = this.#mayNot(actor, 'add-employee') ?? this.#fault(request);
    if (fault !== undefined) return this.#refuse(actor, 'add-employee', request.id, fault);
    const id = request.id.trim().normalize('NFC');
    const known = this.#deps.state.people.find(id);
    if (known !== undefined) {
      const detail = `${known.name} has the id ${id} already`;
      return this.#refuse(actor, 'add-employee', id, { code: 'employee-exists', detail, path: 'id' });
    }
    return this.#keep(this.#employee({ ...request, id }), actor, 'add-employee');
  }

  /** Cards that are bound already keep their rights: a new binding gives them others. */
  async change(id: string, change: EmployeeChange, actor: Actor): Promise<Outcome<Employee>> {
    const known = this.#deps.state.people.find(id.normalize('NFC'));
    const fault =
      this.#mayNot(actor, 'change-employee') ??
      (known === undefined ? unknown(id) : this.#fault({ ...known, ...change, name: change.name ?? known.name }));
    if (fault !== undefined || known === undefined)
      return this.#refuse(actor, 'change-employee', id, fault ?? unknown(id));
    return this.#keep(this.#changed(known, change), actor, 'change-employee');
  }

  /** Somebody who had left is here again. Cards of before stay stopped. */
  async return(id: string, actor: Actor): Promise<Outcome<Employee>> {
    const known = this.#deps.state.people.find(id.normalize('NFC'));
    const fault = this.#mayNot(actor, 'return-employee') ?? (known === undefined ? unknown(id) : undefined);
    if (fault !== undefined || known === undefined)
      return this.#refuse(actor, 'return-employee', id, fault ?? unknown(id));
    if (known.status === 'active') {
      const detail = `${known.name} (${known.id}) has not left`;
      return this.#refuse(actor, 'return-employee', id, { code: 'employee-active', detail });
    }
    const employee: Employee = { ...known, status: 'active', changedAt: this.#now() };
    return this.#keep(employee, actor, 'return-employee');
  }

  /** Adds whom it does not know and changes whom it does; nobody leaves by it. All or, where one of them is faulty, none. */
  async import(people: readonly NewEmployee[], actor: Actor): Promise<Outcome<ImportOutcome>> {
    const { state, writer, audit, clock } = this.#deps;
    const notAllowed = this.#mayNot(actor, 'import-employees');
    if (notAllowed !== undefined) return this.#refuse(actor, 'import-employees', '', notAllowed);
    const result = { added: 0, changed: 0, unchanged: 0 };
    const kept: Employee[] = [];
    const seen = new Set<string>();
    for (const [index, person] of people.entries()) {
      const id = person.id.trim().normalize('NFC');
      const twice: Refusal | undefined = seen.has(id)
        ? { code: 'invalid-request', detail: `the id ${id} occurs twice`, path: 'id' }
        : undefined;
      const fault = this.#fault(person) ?? twice;
      if (fault !== undefined) {
        const path = `employees[${index}]${fault.path === undefined ? '' : `.${fault.path}`}`;
        return this.#refuse(actor, 'import-employees', id, { ...fault, path });
      }
      seen.add(id);
      const known = state.people.find(id);
      const employee = known === undefined ? this.#employee({ ...person, id }) : this.#changed(known, person);
      if (known === undefined) result.added += 1;
      else if (isSame(known, employee)) result.unchanged += 1;
      else result.changed += 1;
      if (known === undefined || !isSame(known, employee)) kept.push(employee);
    }
    writer.requireSound();
    for (const employee of kept) state.people.put(employee);
    const detail = `${result.added} added, ${result.changed} changed, ${result.unchanged} as before`;
    const entry = { operator: actor.name, action: 'import-employees', outcome: 'done', detail } as const;
    await writer.write([...kept.map(employeePut), audit.append(entry, clock.now())]);
    return done(result);
  }

  #now(): string {
    return formatInstant(this.#deps.clock.now());
  }

  #employee({ id, name, department, access = this.#deps.defaultAccess }: NewEmployee): Employee {
    const now = this.#now();
    return {
      id,
      name: name.trim(),
      ...(hasText(department) && { department: department.trim() }),
      status: 'active',
      access,
      addedAt: now,
      changedAt: now,
    };
  }

  #changed(known: Employee, { name, department, access }: EmployeeChange): Employee {
    const { department: before, ...rest } = known;
    const next = department === undefined ? before : department.trim();
    return {
      ...rest,
      ...(name !== undefined && { name: name.trim() }),
      ...(hasText(next) && { department: next }),
      ...(access !== undefined && { access }),
      changedAt: this.#now(),
    };
  }

  #fault({ id, name, department }: NewEmployee): Refusal | undefined {
    if (parseCardholderId(id.trim()) === undefined) {
      return {
        code: 'invalid-request',
        detail: 'an id has 1 to 64 characters, none of them a control character',
        path: 'id',
      };
    }
    for (const [path, text] of [
      ['name', name.trim()],
      ['department', department?.trim() ?? '-'],
    ] as const) {
      if ((path === 'name' && text === '') || text.length > MOST_CHARACTERS || /\p{Cc}/u.test(text)) {
        const detail = `a ${path} has 1 to ${MOST_CHARACTERS} characters, none of them a control character`;
        return { code: 'invalid-request', detail, path };
      }
    }
    return undefined;
  }

  #mayNot(actor: Actor, action: DeskAction): Refusal | undefined {
    if (mayDo(actor.roles, action)) return undefined;
    const detail = `${actor.name} may not do this: ${action} takes one of the roles ${DESK_ACTIONS[action].join(', ')}`;
    return { code: 'not-permitted', detail };
  }

  async #keep(employee: Employee, actor: Actor, action: DeskAction): Promise<Outcome<Employee>> {
    const { state, writer, audit, clock } = this.#deps;
    writer.requireSound();
    state.people.put(employee);
    const entry = { operator: actor.name, action, outcome: 'done', subject: employee.id } as const;
    await writer.write([employeePut(employee), audit.append(entry, clock.now())]);
    return done(employee);
  }

  async #refuse(actor: Actor, action: DeskAction, subject: string, refusal: Refusal): Promise<Outcome<never>> {
    const { writer, audit, clock } = this.#deps;
    const { code, detail } = refusal;
    const entry = { operator: actor.name, action, outcome: 'refused', subject, code, detail } as const;
    await writer.write([audit.append(entry, clock.now())]);
    return { kind: 'refused', refusal };
  }
}

const unknown = (id: string): Refusal => ({
  code: 'unknown-employee',
  detail: `nobody here has the id ${JSON.stringify(id)}`,
});

const hasText = (text: string | undefined): text is string => text !== undefined && text.trim() !== '';

const isSame = ({ changedAt: _a, ...one }: Employee, { changedAt: _b, ...other }: Employee): boolean =>
  JSON.stringify(Object.entries(one).sort()) === JSON.stringify(Object.entries(other).sort());
