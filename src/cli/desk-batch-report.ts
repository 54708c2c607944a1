// The outcome of a batch for whoever hands the cards out: a row for every line and gateway, with the doors that open there, also of
// lines that the desk was never asked for.

import { type BatchView, reportAnswer } from '../desk-api/contract.ts';
import type { BatchFile } from './desk-batch-file.ts';
import { pathOf } from './desk-client.ts';
import type { DeskVisit } from './desk-visit.ts';
import { newFile, type Row, tableText } from './report-output.ts';

export interface BatchReport {
  write(visit: DeskVisit, list: BatchFile, view: BatchView): Promise<void>;
  /** What is not whole leaves no file. */
  close(): Promise<void>;
}

/** In the place of one that an earlier run has left. Rejects with CardeaError `report-failed` when it cannot be made. */
export const openBatchReport = async (file: string): Promise<BatchReport> => {
  const output = await newFile(file, { mayReplace: true });
  let isWhole = false;
  return {
    write: async ({ desk }, { faults }, { id }) => {
      const path = pathOf`/v1/batches/${id}/report`;
      const { columns, rows } = await desk.ask(reportAnswer, { path, query: { format: 'json' } });
      const own: Row[] = faults.map(({ line, code, detail }) => ({ line, outcome: 'refused', code, detail }));
      const all = [...own, ...rows].sort((a, b) => Number(a['line']) - Number(b['line']));
      await output.write(await tableText(columns, all));
      isWhole = true;
      await output.end();
    },
    close: async () => {
      if (!isWhole) await output.abandon();
    },
  };
};
