// Verifies a log as it streams by: its chain, the checkpoints in it, and checkpoints that were kept elsewhere. Of constant size in
// the number of records; nothing is believed that only the log itself says.

import type { AccessEvent } from '../domain/access-event.ts';
import {
  CHAIN_START,
  type ChainState,
  checkItem,
  failChain,
  finishChain,
  type LogFault,
  type LogItem,
} from '../domain/log-chain.ts';
import { type PublicKey, thumbprint } from '../domain/trusted-key.ts';
import { checkpointIn, checkpointVerifier, readCheckpoint } from '../wire/checkpoint.ts';

/** What a checkpoint that was kept elsewhere says: this record was there, with this hash. */
export interface Witness {
  readonly sequence: number;
  readonly hash: string;
  readonly gateway: string;
  /** Where it was kept, for a person. */
  readonly source: string;
}

export interface VerifierOptions {
  readonly witnesses: readonly Witness[];
  /** Public halves of the gateway's keys; signatures are looked at only where there are some. */
  readonly keys: readonly PublicKey[];
  /** Whether a log is refused whose last checkpoint none of the keys has signed. */
  readonly needsSignature: boolean;
  /** The last record that is to be verified; all, where it is left out. */
  readonly to?: number | undefined;
}

export interface Verdict {
  readonly chain: ChainState;
  /** The first one; undefined when the log is what was recorded, as far as can be told. */
  readonly fault: LogFault | undefined;
  readonly checkpoints: number;
  /** Up to this record one of the keys vouches for the log; undefined where none does. */
  readonly signedUpTo: number | undefined;
  /** Kept checkpoints that agree, and those that say nothing of these records. */
  readonly agreeing: number;
  readonly outOfReach: number;
}

/** Looks whether one of these keys has signed a checkpoint. */
export const signaturesBy = (keys: readonly PublicKey[]): ReturnType<typeof checkpointVerifier> =>
  checkpointVerifier(keys.map((publicKey) => ({ kid: thumbprint(publicKey), publicKey })));

export class LogVerifier {
  readonly #options: VerifierOptions;
  readonly #signatureOf: ReturnType<typeof checkpointVerifier>;
  /** Those to come, the nearest last. */
  #witnesses: Witness[];
  #chain: ChainState = CHAIN_START;
  #checkpoints = 0;
  #signedUpTo: number | undefined;
  /** The first checkpoint since then that none of the keys has signed. */
  #unsigned: { readonly sequence: number; readonly message: string } | undefined;
  /** The first record since then that says of others that they are gone for good. */
  #unsignedGap: number | undefined;
  #agreeing = 0;
  #outOfReach = 0;

  constructor(options: VerifierOptions) {
    this.#options = options;
    this.#signatureOf = signaturesBy(options.keys);
    this.#witnesses = options.witnesses.toSorted((one, other) => other.sequence - one.sequence);
  }

  /** Nothing more needs to be looked at: something is wrong, or what was asked for is done. */
  get isDone(): boolean {
    const { last, fault } = this.#chain;
    return fault !== undefined || (last?.sequence ?? 0) >= (this.#options.to ?? Number.POSITIVE_INFINITY);
  }

  async take(item: LogItem): Promise<void> {
    const { records, gaps } = this.#chain;
    this.#chain = checkItem(this.#chain, item);
    if (item.kind !== 'record' || this.#chain.fault !== undefined) return;
    if (records === 0) this.#sortOutWitnesses(item.event);
    if (this.#chain.gaps > gaps) this.#unsignedGap ??= item.event.sequence;
    this.#compareWitnesses(item.event);
    if (item.event.event === 'checkpoint') await this.#lookAtCheckpoint(item.event);
  }

  finish(): Verdict {
    this.#chain = finishChain(this.#chain);
    if (this.#chain.fault === undefined) this.#lookAtEnd();
    return {
      chain: this.#chain,
      fault: this.#chain.fault,
      checkpoints: this.#checkpoints,
      signedUpTo: this.#signedUpTo,
      agreeing: this.#agreeing,
      outOfReach: this.#outOfReach,
    };
  }

  /** What was kept may be of several gateways, such as the archive of a site. */
  #sortOutWitnesses({ sequence, gateway }: AccessEvent): void {
    const ours = this.#witnesses.filter((witness) => witness.gateway === gateway);
    const sources = new Set(ours.map(({ source }) => source));
    const foreign = this.#witnesses.find(({ source }) => !sources.has(source));
    this.#witnesses = ours;
    if (foreign === undefined) return;
    this.#fail('foreign', sequence, `the log is of gateway ${gateway}, ${foreign.source} of ${foreign.gateway}`);
  }

  #compareWitnesses({ sequence, hash }: AccessEvent): void {
    for (
      let next = this.#witnesses.at(-1);
      next !== undefined && next.sequence <= sequence;
      next = this.#witnesses.at(-1)
    ) {
      this.#witnesses.pop();
      if (next.sequence < sequence) this.#outOfReach += 1;
      else if (next.hash === hash) this.#agreeing += 1;
      else this.#fail('contradicted', sequence, `record ${sequence} is not the one that ${next.source} vouches for`);
    }
  }

  async #lookAtCheckpoint(event: AccessEvent): Promise<void> {
    const { sequence } = event;
    this.#checkpoints += 1;
    const recorded = checkpointIn(event);
    if (recorded === undefined)
      return this.#fail('contradicted', sequence, `the checkpoint in record ${sequence} is none`);
    if (recorded.jws === null) return this.#noteUnsigned(sequence, 'is not signed');
    const { checkpoint, kid } = readCheckpoint(recorded.jws) ?? {};
    const isSame =
      checkpoint?.sequence === recorded.upTo &&
      checkpoint.hash === recorded.hash &&
      checkpoint.gateway === event.gateway;
    if (!isSame) {
      return this.#fail('contradicted', sequence, `the checkpoint in record ${sequence} is signed for something else`);
    }
    if (this.#options.keys.length === 0) return;
    switch (await this.#signatureOf(recorded.jws)) {
      case 'genuine':
        this.#signedUpTo = recorded.upTo;
        this.#unsigned = undefined;
        this.#unsignedGap = undefined;
        return;
      case 'forged':
        return this.#fail('not-signed', sequence, `the signature of the checkpoint in record ${sequence} is wrong`);
      case 'unknown-key':
        return this.#noteUnsigned(sequence, `is signed with key ${kid}, which is not among those given`);
    }
  }

  #noteUnsigned(sequence: number, fault: string): void {
    this.#unsigned ??= { sequence, message: `the checkpoint in record ${sequence} ${fault}` };
  }

  #lookAtEnd(): void {
    const { needsSignature, to } = this.#options;
    const last = this.#chain.last?.sequence ?? 0;
    const kept = this.#witnesses.findLast(({ sequence }) => sequence <= (to ?? sequence));
    if (kept !== undefined) {
      const message = `the log ends with record ${last}, and ${kept.source} vouches for record ${kept.sequence}`;
      return this.#fail('truncated', last + 1, message);
    }
    this.#outOfReach += this.#witnesses.length;
    if (to !== undefined && last < to) {
      return this.#fail('truncated', last + 1, `the log ends with record ${last}, before record ${to}`);
    }
    if (this.#chain.records === 0) return this.#fail('truncated', 1, 'there is no record: nothing was verified');
    if (!needsSignature) return;
    if (this.#unsigned !== undefined) this.#fail('not-signed', this.#unsigned.sequence, this.#unsigned.message);
    else if (this.#signedUpTo === undefined) {
      this.#fail(
        'not-signed',
        this.#chain.first ?? 1,
        'no checkpoint in these records is signed with a key that was given',
      );
    } else if (this.#unsignedGap !== undefined) {
      const message = `record ${this.#unsignedGap} says that others are gone for good, and no signature vouches for it`;
      this.#fail('not-signed', this.#unsignedGap, message);
    }
  }

  #fail(kind: LogFault['kind'], sequence: number, message: string): void {
    if (this.#chain.fault === undefined) this.#chain = failChain(this.#chain, { kind, sequence, message });
  }
}
