/**
 * Replaces `$(NAME)` by the value that `lookup` gives. What it does not know stays as it is, `$$` is a dollar sign,
 * and any other dollar stands for itself (Kubernetes' rule for command, args, env and subPathExpr).
 */
export function expand(text: string, lookup: (name: string) => string | undefined): string {
  let result = '';
  for (let index = 0; index < text.length; index++) {
    const character = text[index]!;
    if (character !== '$' || index + 1 >= text.length) {
      result += character;
      continue;
    }
    const following = text[index + 1]!;
    if (following === '$') {
      result += '$';
      index++;
      continue;
    }
    const end = following === '(' ? text.indexOf(')', index + 2) : -1;
    if (end < 0) {
      result += character;
      // An unclosed `$(` is copied whole, so that its parenthesis is not looked at again.
      if (following === '(') {
        result += following;
        index++;
      }
      continue;
    }
    const reference = text.slice(index, end + 1);
    result += lookup(text.slice(index + 2, end)) ?? reference;
    index = end;
  }
  return result;
}
