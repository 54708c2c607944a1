// Guesses which key a technician meant.

/** The known word closest to `word`: the same but for case and separators, or at most a third of its letters away. */
export const nearestKey = (word: string, known: readonly string[]): string | undefined => {
  const bare = letters(word.slice(0, MAX_LENGTH));
  const limit = Math.max(1, Math.floor(bare.length / 3));
  const ranked = known
    .map((candidate) => ({ candidate, distance: editDistance(bare, letters(candidate)) }))
    .filter(({ distance }) => distance <= limit)
    .sort((a, b) => a.distance - b.distance);
  return ranked[0]?.candidate;
};

/** The question to put before what is allowed, with a space behind it; empty where nothing is close. */
export const didYouMean = (word: string, known: readonly string[]): string => {
  const near = nearestKey(word, known);
  return near === undefined ? '' : `did you mean ${near}? `;
};

const MAX_LENGTH = 64;

const letters = (word: string): string => word.toLowerCase().replaceAll(/[-_ ]/g, '');

/** Insertions, deletions, replacements and swaps of neighbours (optimal string alignment). */
const editDistance = (a: string, b: string): number => {
  let beforeLast: readonly number[] = [];
  let last: readonly number[] = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const isSame = a[i - 1] === b[j - 1];
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      row.push(
        Math.min(
          cell(row, j - 1) + 1,
          cell(last, j) + 1,
          cell(last, j - 1) + (isSame ? 0 : 1),
          isSwap ? cell(beforeLast, j - 2) + 1 : Number.POSITIVE_INFINITY,
        ),
      );
    }
    beforeLast = last;
    last = row;
  }
  return cell(last, b.length);
};

const cell = (row: readonly number[], index: number): number => row[index] ?? Number.POSITIVE_INFINITY;
