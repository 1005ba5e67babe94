/** Sets of completion indexes as Jobs write them: `1,3-5,7`. */
export function parseIndexes(text: string | undefined): ReadonlySet<number> {
  const indexes = new Set<number>();
  for (const part of (text ?? '').split(',')) {
    const [first = '', last = first] = part.split('-');
    if (first === '') continue;
    for (let index = Number(first); index <= Number(last); index++) indexes.add(index);
  }
  return indexes;
}

/** Runs of three and more are written as a range, as are runs of two. */
export function formatIndexes(indexes: ReadonlySet<number>): string {
  const parts: string[] = [];
  let first: number | undefined;
  let last = Number.NaN;
  const close = () => {
    if (first === undefined) return;
    parts.push(first === last ? `${first}` : last === first + 1 ? `${first},${last}` : `${first}-${last}`);
  };
  for (const index of [...indexes].sort((left, right) => left - right)) {
    if (index === last + 1) last = index;
    else {
      close();
      first = index;
      last = index;
    }
  }
  close();
  return parts.join(',');
}
