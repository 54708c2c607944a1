import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as choices from '../../src/cli/desk-choices.ts';
import { ROLES } from '../../src/desk/permissions.ts';
import { EMPLOYEE_STATUSES, REPLACEMENT_REASONS } from '../../src/desk/records.ts';
import { lossRequest, OPERATION_STATES, REPORTS } from '../../src/desk-api/contract.ts';

test('the command line offers what the contract has, and nothing else', () => {
  assert.deepEqual(
    { ...choices },
    {
      REPLACEMENT_REASONS,
      LOSS_REASONS: lossRequest.shape.reason.options,
      ROLES,
      OPERATION_STATES,
      EMPLOYEE_STATUSES,
      REPORTS,
    },
  );
});
