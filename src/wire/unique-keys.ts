// JSON.parse keeps the last of two members with one name and says nothing (RFC 8259, section 4: behaviour is unpredictable).
// Whoever wrote or approved the message may have read the other one, so such a message is not understood completely.

/** Strings and the characters that give JSON its structure; what lies between them is numbers, literals and white space. */
const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\]:,]/gs;

interface Level {
  /** Undefined in an array. */
  readonly names: Set<string> | undefined;
  at: string | number;
}

/** Where the first member is whose name its object has already, outermost first. `parsed` must be what JSON.parse made of `json`. */
export const repeatedKey = (json: string, parsed: unknown): readonly (string | number)[] | undefined =>
  // Next to no message repeats a name, and then as many members are there as were written.
  membersWritten(json) === membersIn(parsed) ? undefined : firstRepeated(json);

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;

/** Colons outside of strings. */
const membersWritten = (json: string): number => {
  let count = 0;
  let isInString = false;
  for (let at = 0; at < json.length; at++) {
    const code = json.charCodeAt(at);
    if (code === QUOTE) isInString = !isInString;
    else if (code === BACKSLASH) at += 1;
    else if (code === COLON && !isInString) count += 1;
  }
  return count;
};

/** Of all objects at any depth; without recursion, which a hostile depth would overflow. */
const membersIn = (value: unknown): number => {
  let count = 0;
  const open = [value];
  for (let next = open.pop(); open.length > 0 || next !== undefined; next = open.pop()) {
    if (typeof next !== 'object' || next === null) continue;
    const members: unknown[] = Object.values(next);
    if (!Array.isArray(next)) count += members.length;
    for (const member of members) open.push(member);
  }
  return count;
};

const firstRepeated = (json: string): readonly (string | number)[] | undefined => {
  const levels: Level[] = [];
  let text = '';
  for (const [token] of json.matchAll(TOKEN)) {
    const level = levels.at(-1);
    switch (token) {
      case '{':
        levels.push({ names: new Set(), at: '' });
        break;
      case '[':
        levels.push({ names: undefined, at: 0 });
        break;
      case '}':
      case ']':
        levels.pop();
        break;
      case ',':
        if (typeof level?.at === 'number') level.at += 1;
        break;
      case ':': {
        // Two spellings of one name are one name: "c\u0061rd" is "card".
        const name: unknown = JSON.parse(text);
        if (level?.names === undefined || typeof name !== 'string') break;
        level.at = name;
        if (level.names.has(name)) return levels.map(({ at }) => at);
        level.names.add(name);
        break;
      }
      default:
        text = token;
    }
  }
  return undefined;
};
