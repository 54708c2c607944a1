// A list of replacements: one line each, in the order in which they are carried out.

import { type BatchFault, type BatchRequest, replacementRequest } from '../desk-api/contract.ts';
import { REPLACEMENT_REASONS } from './desk-choices.ts';
import { parseTable } from './desk-table-file.ts';

export type BatchRow = BatchRequest['rows'][number];

export interface BatchFile {
  readonly rows: readonly BatchRow[];
  /** Lines that cannot even be asked for. */
  readonly faults: readonly BatchFault[];
}

const COLUMNS = { needed: ['cardholder', 'new_card', 'reason'], optional: ['old_card', 'note'] };

const { shape } = replacementRequest;

/** Throws CardeaError `invalid-request` for a file that is no such list. */
export const parseBatch = (text: string, file: string): BatchFile => {
  const rows: BatchRow[] = [];
  const faults: BatchFault[] = [];
  for (const row of parseTable(text, file, COLUMNS)) {
    const { line } = row;
    const reason = REPLACEMENT_REASONS.find((known) => known === row.cell('reason').toLowerCase());
    const [oldCard, note] = [row.cell('old_card'), row.cell('note')];
    const fault = (path: string, detail: string): BatchFault => ({ line, code: 'invalid-request', path, detail });
    if (reason === undefined) {
      const detail = `${JSON.stringify(row.cell('reason'))} is no reason; allowed: ${REPLACEMENT_REASONS.join(', ')}`;
      faults.push(fault('reason', detail));
    } else if (!shape.cardholder.safeParse(row.cell('cardholder')).success) {
      faults.push(fault('cardholder', 'the id of a person has 1 to 64 characters'));
    } else if (!shape.newCard.safeParse(row.cell('new_card')).success) {
      faults.push(fault('newCard', 'a card number has 1 to 64 characters'));
    } else if (note !== '' && !shape.note.safeParse(note).success) {
      faults.push(fault('note', 'a note has at most 300 characters, on one line'));
    } else {
      rows.push({
        line,
        cardholder: row.cell('cardholder'),
        newCard: row.cell('new_card'),
        ...(oldCard !== '' && { oldCard }),
        reason,
        ...(note !== '' && { note }),
      });
    }
  }
  return { rows, faults };
};
