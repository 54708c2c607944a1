// How much JSON a message may have so that it fits the contract's limit on the wire also when it is signed.

/** JWS compact (RFC 7515, 7.1) beside the payload: a header of up to 512 characters, a signature of 86, two dots. */
const SIGNATURE_CHARACTERS = 600;

/** Bytes of JSON that fit into a message of at most `limit` bytes: base64url makes four characters of three bytes. */
export const jsonRoom = (limit: number): number => Math.floor(((limit - SIGNATURE_CHARACTERS) * 3) / 4);
