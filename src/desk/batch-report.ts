// What became of a batch, for the record: one row for each line and gateway, with the doors that the new card opens there.

import type { StoredBatch } from './batch-records.ts';
import type { OperationView } from './desk.ts';
import type { DeskState } from './desk-state.ts';
import type { GatewayProof } from './proof.ts';
import type { BatchLine } from './records.ts';
import { type Report, type Row, reportOf } from './report.ts';
import { personColumns } from './report-operations.ts';

interface Sources {
  readonly state: Pick<DeskState, 'people'>;
  /** Undefined for one that is not known. */
  readonly operation: (id: string) => Promise<OperationView | undefined>;
}

const LINE_COLUMNS = [
  ...(['line', 'cardholder', 'name', 'department', 'oldCard', 'newCard', 'reason', 'outcome', 'code'] as const),
  ...(['detail', 'operation', 'state'] as const),
] as const;
const GATEWAY_COLUMNS = ['gateway', 'gatewayState', 'appliedAt', 'opens', 'closed', 'used'] as const;

type LineRow = Row<(typeof LINE_COLUMNS)[number]>;
type GatewayRow = Row<(typeof GATEWAY_COLUMNS)[number]>;

export const batchReport = ({ lines }: StoredBatch, { state, operation }: Sources): Report =>
  reportOf([...LINE_COLUMNS, ...GATEWAY_COLUMNS], async function* () {
    for (const line of [...lines.values()]) {
      const id = line.outcome?.operation ?? null;
      const view = id === null ? undefined : await operation(id);
      const row = lineRow(line, view, state);
      const gateways = view?.proof.gateways ?? [];
      if (gateways.length === 0) yield { ...row, ...NO_GATEWAY };
      for (const gateway of gateways) yield { ...row, ...gatewayRow(gateway) };
    }
  });

const lineRow = (
  { row, outcome }: BatchLine,
  view: OperationView | undefined,
  state: Pick<DeskState, 'people'>,
): LineRow => {
  const { line, cardholder, oldCard = null, newCard, reason } = row;
  const { code = null, detail = null, operation = null } = outcome ?? {};
  return {
    ...{ line, ...personColumns(cardholder.trim().normalize('NFC'), state), oldCard, newCard, reason },
    ...{ outcome: outcome?.outcome ?? null, code, detail, operation, state: view?.proof.state ?? null },
  };
};

const NO_GATEWAY: GatewayRow = {
  ...{ gateway: null, gatewayState: null, appliedAt: null, opens: [], closed: [], used: [] },
};

const gatewayRow = ({ gateway, state, appliedAt, doors }: GatewayProof): GatewayRow => ({
  ...{ gateway, gatewayState: state, appliedAt },
  opens: doors.flatMap(({ door, opens }) => (opens === true ? [door] : [])),
  closed: doors.flatMap(({ door, isExpected, opens }) => (isExpected === true && opens === false ? [door] : [])),
  used: doors.flatMap(({ door, firstGranted }) => (firstGranted === null ? [] : [door])),
});
