// Why a connection ended, or was never made, in words for a person, and who has to hear of it.

import { ReasonCodes } from 'mqtt';
import { errorMessage } from '../../errors.ts';

/** Return and reason codes a person has to act on: bad credentials, not authorized (3.1.1, 3.2.2.3; 5.0, 3.2.2.2), banned. */
const CREDENTIAL_CODES: ReadonlySet<unknown> = new Set([4, 5, 134, 135, 138]);

export interface Ending {
  /** Without secrets. */
  readonly reason: string;
  readonly level: 'info' | 'warn' | 'error';
}

const REASON_NAMES: ReadonlyMap<string, string> = new Map(Object.entries(ReasonCodes));

/** The name the standard gives to a return or reason code, or its number. */
export const describeReasonCode = (reasonCode: number): string =>
  REASON_NAMES.get(String(reasonCode)) ?? String(reasonCode);

const SET_AUTHORITY = "put the certificate of the broker's authority into the file that mqtt.ca names";
const RENEW_OURS = 'renew the certificate in the file that mqtt.cert names, at the authority that the broker trusts';

/** What to do about a TLS failure, by its code. Alerts are the broker's answer to our certificate. */
const TLS_ADVICE: ReadonlyMap<string, string> = new Map([
  [
    'ERR_TLS_CERT_ALTNAME_INVALID',
    "mqtt.url has to name the broker as its certificate does, or the broker's certificate has to be issued for this name",
  ],
  ['CERT_HAS_EXPIRED', "renew the broker's certificate; if it is a recent one, this machine's clock is wrong"],
  ['CERT_NOT_YET_VALID', "the broker's certificate begins later: set this machine's clock"],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', SET_AUTHORITY],
  ['SELF_SIGNED_CERT_IN_CHAIN', SET_AUTHORITY],
  ['UNABLE_TO_GET_ISSUER_CERT', SET_AUTHORITY],
  ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', SET_AUTHORITY],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', SET_AUTHORITY],
  ['CERT_SIGNATURE_FAILURE', SET_AUTHORITY],
  ['ALERT_CERTIFICATE_REQUIRED', 'the broker wants a client certificate: set mqtt.cert and mqtt.key'],
  ['ALERT_HANDSHAKE_FAILURE', 'the broker may want a client certificate: set mqtt.cert and mqtt.key'],
  ['ALERT_BAD_CERTIFICATE', RENEW_OURS],
  ['ALERT_CERTIFICATE_EXPIRED', RENEW_OURS],
  ['ALERT_CERTIFICATE_REVOKED', RENEW_OURS],
  ['ALERT_CERTIFICATE_UNKNOWN', RENEW_OURS],
  ['ALERT_UNKNOWN_CA', RENEW_OURS],
  ['ERR_SSL_WRONG_VERSION_NUMBER', 'that port does not speak TLS: check mqtt.url'],
]);

/** Which protocol version an alert is of differs between versions of OpenSSL. */
const tlsCode = (code: unknown): string => String(code).replace(/^ERR_SSL_.*_ALERT_/, 'ALERT_');

/** OpenSSL's messages name threads and source lines, other ones each time; the reason among them is what stays. */
const plainMessage = (error: Error): string =>
  'library' in error && 'reason' in error ? String(error.reason) : error.message;

export const endingOf = (error: Error): Ending => {
  const code: unknown = 'code' in error ? error.code : undefined;
  // With several addresses to try, Node puts the messages into the members and leaves the whole one empty.
  const parts = error instanceof AggregateError ? error.errors.map(errorMessage) : [plainMessage(error)];
  const text = parts.filter((part) => part !== '').join(', ') || String(code);
  const advice = TLS_ADVICE.get(tlsCode(code));
  const isForPerson = CREDENTIAL_CODES.has(code) || advice !== undefined || code === 'link-configuration';
  return { reason: advice === undefined ? text : `${text}; ${advice}`, level: isForPerson ? 'error' : 'warn' };
};
