/** Mistakes between what was written and a name that is still suggested for it. */
const maximumDistance = 2;

/** The names that `word` may have been meant to be: few mistakes away, or begun by it. */
export function nearest(word: string, names: readonly string[]): readonly string[] {
  const lower = word.toLowerCase();
  return names.filter(
    (name) => editDistance(lower, name.toLowerCase()) <= maximumDistance || name.toLowerCase().startsWith(lower),
  );
}

/** Levenshtein's distance. */
function editDistance(left: string, right: string): number {
  let previous = Array.from({ length: right.length + 1 }, (_, column) => column);
  for (let row = 1; row <= left.length; row++) {
    const current = [row];
    for (let column = 1; column <= right.length; column++) {
      const replaced = previous[column - 1]! + (left[row - 1] === right[column - 1] ? 0 : 1);
      current.push(Math.min(replaced, previous[column]! + 1, current[column - 1]! + 1));
    }
    previous = current;
  }
  return previous[right.length]!;
}
