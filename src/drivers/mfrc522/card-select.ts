// Reads the UID of the one card in the field: wake-up, anticollision and selection through cascade levels 1 to 3, halt
// (ISO/IEC 14443-3, 6.3 to 6.5). A UID is returned only after its card confirmed every bit of it by answering SELECT; where
// several cards answer, none is chosen.

import type { Exchange, Reply } from './chip.ts';
import { crcA } from './crc-a.ts';

export type CardRead =
  | { readonly kind: 'card'; readonly uid: Uint8Array }
  | { readonly kind: 'none' }
  | { readonly kind: 'ambiguous'; readonly cause: 'collision' | 'short-read' | 'noise' }
  | { readonly kind: 'chip-fault' };

/** The part of the chip that talks to cards. */
export interface CardChannel {
  transceive(exchange: Exchange): Reply;
  send(bytes: readonly number[]): void;
}

const WUPA = 0x52;
const HLTA = [0x50, 0x00] as const;
const HLTA_FRAME: readonly number[] = [...HLTA, ...crcA(HLTA)];
/** SEL of the three cascade levels (6.5.3.1). */
const CASCADE_LEVELS = [0x93, 0x95, 0x97] as const;
/** NVB: SEL and NVB alone, or with all 40 bits of UID CLn and BCC (6.5.3.2). */
const NVB_ANTICOLLISION = 0x20;
const NVB_SELECT = 0x70;
const CASCADE_TAG = 0x88;
const SAK_CASCADE = 0x04;

const ambiguous = (cause: 'collision' | 'short-read' | 'noise'): CardRead => ({ kind: 'ambiguous', cause });

type Answer = { readonly bytes: Uint8Array } | { readonly failed: CardRead };

/**
 * One complete read. `likelySilent` says that nobody was there a moment ago.
 * A card that was woken before and not halted stays silent once: it takes more than one call to know that nobody is there.
 */
export const readCard = (channel: CardChannel, likelySilent: boolean): CardRead => {
  const atqa = channel.transceive({ bytes: [WUPA], lastBits: 7, replyBytes: 2, likelySilent });
  if (atqa.kind === 'silence') return { kind: 'none' };
  const woken = expectBytes(atqa, 2);
  if ('failed' in woken) return woken.failed;

  const uid: number[] = [];
  for (const select of CASCADE_LEVELS) {
    const part = expectBytes(channel.transceive({ bytes: [select, NVB_ANTICOLLISION], replyBytes: 5 }), 5);
    if ('failed' in part) return part.failed;
    const [a = 0, b = 0, c = 0, d = 0, check] = part.bytes;
    if ((a ^ b ^ c ^ d) !== check) return ambiguous('noise');

    const frame = [select, NVB_SELECT, ...part.bytes];
    const answer = expectBytes(channel.transceive({ bytes: [...frame, ...crcA(frame)], replyBytes: 3 }), 3);
    if ('failed' in answer) return answer.failed;
    const [sak = 0, crcLow, crcHigh] = answer.bytes;
    const [low, high] = crcA([sak]);
    if (crcLow !== low || crcHigh !== high) return ambiguous('noise');

    // The SAK decides, not the first byte: 4-byte UIDs that begin with 88 are on the market.
    if ((sak & SAK_CASCADE) === 0) {
      channel.send(HLTA_FRAME);
      return { kind: 'card', uid: Uint8Array.of(...uid, a, b, c, d) };
    }
    if (a !== CASCADE_TAG) return ambiguous('noise');
    uid.push(b, c, d);
  }
  return ambiguous('noise'); // a fourth level does not exist
};

/** Whole bytes, as many as expected. A card that answered before and now does not, or only in part, is a short read. */
const expectBytes = (reply: Reply, length: number): Answer => {
  switch (reply.kind) {
    case 'reply':
      if (reply.bits < length * 8) return { failed: ambiguous('short-read') };
      return reply.bits === length * 8 ? { bytes: reply.bytes } : { failed: ambiguous('noise') };
    case 'silence':
      return { failed: ambiguous('short-read') };
    case 'collision':
      return { failed: ambiguous('collision') };
    case 'garbled':
      return { failed: ambiguous('noise') };
    case 'chip-fault':
      return { failed: { kind: 'chip-fault' } };
  }
};
