// Who may do what at the desk. One table: the API, the command line and the tests go by it.
//
// clerk: replaces and binds cards, keeps the list of people. security: stops cards and locks doors. auditor: reads. admin: operators,
// tokens and gateways, and no card. An account may have several roles.

import type { Permission } from '../domain/trusted-key.ts';

export const ROLES = ['clerk', 'security', 'auditor', 'admin'] as const;
export type Role = (typeof ROLES)[number];

export const DESK_ACTIONS = {
  'read-roster': ['clerk', 'security', 'auditor', 'admin'],
  'read-operations': ['clerk', 'security', 'auditor', 'admin'],
  'read-reports': ['clerk', 'security', 'auditor'],
  'read-gateways': ['clerk', 'security', 'auditor', 'admin'],
  'read-audit': ['auditor', 'admin'],
  'read-presentations': ['clerk'],
  'add-employee': ['clerk'],
  'change-employee': ['clerk'],
  'import-employees': ['clerk'],
  'export-roster': ['clerk', 'auditor'],
  'replace-card': ['clerk'],
  'bind-card': ['clerk'],
  'reinstate-card': ['clerk'],
  'return-employee': ['clerk'],
  'run-batch': ['clerk'],
  'report-loss': ['security'],
  'revoke-card': ['security'],
  'employee-left': ['security'],
  lockdown: ['security'],
  'read-operators': ['admin', 'auditor'],
  'change-operators': ['admin'],
  'change-tokens': ['admin'],
  'forget-gateway': ['admin'],
  'make-backup': ['admin'],
} as const satisfies Readonly<Record<string, readonly Role[]>>;

export type DeskAction = keyof typeof DESK_ACTIONS;

export const mayDo = (roles: readonly Role[], action: DeskAction): boolean => {
  const allowed: readonly Role[] = DESK_ACTIONS[action];
  return roles.some((role) => allowed.includes(role));
};

/** Keys that sign what the desk sends. One of `desk` goes with the service itself, the others with the role of whoever acts. */
export const SIGNING_ROLES = ['clerk', 'security', 'desk'] as const;
export type SigningRole = (typeof SIGNING_ROLES)[number];

/** What gateways have to let each of the keys send, and nothing beyond. */
export const KEY_PERMISSIONS: Readonly<Record<SigningRole, readonly Permission[]>> = {
  clerk: ['bind'],
  security: ['revoke', 'command'],
  desk: ['roster', 'events'],
};
