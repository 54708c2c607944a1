// What may be chosen on the command lines of the desk. The contract has the same lists with all its schemas, which are too heavy to be
// loaded before a command is known; the compiler and a test hold the two together.

import type {
  EmployeeAnswer,
  LossRequest,
  OperationView,
  OperatorAnswer,
  ReplacementRequest,
  ReportName,
} from '../desk-api/contract.ts';

export const REPLACEMENT_REASONS = [
  'lost',
  'stolen',
  'damaged',
  'expired',
  'other',
] as const satisfies readonly ReplacementRequest['reason'][];

export const LOSS_REASONS = ['lost', 'stolen'] as const satisfies readonly LossRequest['reason'][];

export const ROLES = [
  'clerk',
  'security',
  'auditor',
  'admin',
] as const satisfies readonly OperatorAnswer['roles'][number][];

export const OPERATION_STATES = [
  'unsent',
  'open',
  'overdue',
  'refused',
  'confirmed',
] as const satisfies readonly OperationView['proof']['state'][];

export const EMPLOYEE_STATUSES = ['active', 'left'] as const satisfies readonly EmployeeAnswer['status'][];

export const REPORTS = [
  'changes',
  'unused-cards',
  'people-without-card',
  'operations',
  'attendance',
] as const satisfies readonly ReportName[];
