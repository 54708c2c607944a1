// `cardea desk calendar FILE`: reads what the file says of schedules, holidays and access levels, and pushes it as HR would.

import { readFileSync } from 'node:fs';
import { fileReason } from '../config/file-reason.ts';
import { parseYaml } from '../config/parse-yaml.ts';
import type { CalendarDefinition } from '../domain/calendar.ts';
import { CardeaError } from '../errors.ts';
import { decodeCalendarSections } from '../wire/calendar-message.ts';
import type { DeskOptions } from './desk.ts';
import { send } from './desk-messages.ts';
import type { CliSession } from './session.ts';

export const pushCalendar = (file: string, options: DeskOptions, session: CliSession): Promise<void> =>
  send('calendar', options, session, { ...readCalendar(file) });

/**
 * A calendar that gateways take: the broker would keep one that they refuse, in the place of the one before. Throws CardeaError
 * `invalid-request`.
 */
const readCalendar = (file: string): CalendarDefinition => {
  const { tree, faults } = parseYaml(readText(file));
  const [first] = faults;
  if (first !== undefined) {
    const { line, column } = tree.placeOf(first.offset);
    throw unusable(`${file}:${line}:${column} ${first.message}`);
  }
  const decoded = decodeCalendarSections(tree.value);
  if ('definition' in decoded) return decoded.definition;
  const { path = '', detail } = decoded.fault;
  throw unusable(`${file}: ${path === '' ? '' : `${path}: `}${detail}`);
};

const readText = (file: string): string => {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw unusable(`the calendar cannot be read: ${fileReason(error, file)}`, error);
  }
};

const unusable = (message: string, cause?: unknown): CardeaError =>
  new CardeaError('invalid-request', message, { cause });
